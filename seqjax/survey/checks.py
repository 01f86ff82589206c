"""What all data of pairs is looked at for: how it is written, what leaks between splits."""

from collections.abc import Mapping

from seqjax.config import DataConfig
from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Section, extended, section
from seqjax.survey.form import form_table, line_counts, line_ends, unusable_lines
from seqjax.survey.leakage import CODE_OF, conflicts, shared_pairs
from seqjax.survey.lengths import few_to_judge_by
from seqjax.survey.nearness import near_sources
from seqjax.survey.tokens import Side
from seqjax.survey.writing import broken_texts, normal_form, special_marks, unseen_characters

Splits = Mapping[str, Split]


def form_section(splits: Splits, texts: Splits, data: DataConfig, *more: Finding) -> Section:
    """Returns how files and texts are written.

    Args:
      splits: As they were read.
      texts: The same, without the side that only names files.
      data: Whether lines that cannot be used are left out.
      more: Other findings of this section.
    """
    return extended(
        form_table(splits),
        unusable_lines(splits, skipped=data.on_bad_line == "skip"),
        line_counts(splits),
        *more,
        line_ends(splits),
        normal_form(texts),
        unseen_characters(texts),
        broken_texts(texts),
        special_marks(texts),
    )


def leakage_section(splits: Splits, source: Side | None = None) -> Section:
    """Returns what stands in two splits, and how much there is to judge by.

    Args:
      splits: At least train.
      source: The sources as tokens, if they are texts.
    """
    return section(
        "Splits and leakage",
        *(shared_pairs(splits, *both) for both in CODE_OF if set(both) <= set(splits)),
        conflicts(splits),
        near_sources(splits, source) if source else None,
        few_to_judge_by(splits),
    )
