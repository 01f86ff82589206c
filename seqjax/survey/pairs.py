"""Everything there is to say about pairs of texts, in the order in which it is told."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from seqjax.config import DataConfig
from seqjax.data.vocabulary import TokenKind
from seqjax.survey.ambiguity import ambiguous_sources, repeated_pairs
from seqjax.survey.answers import copied_tokens, simple_answers, suited_tokens
from seqjax.survey.batches import batch_plan
from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Section, Survey
from seqjax.survey.form import form_table, line_counts, line_ends, unusable_lines
from seqjax.survey.leakage import CODE_OF, conflicts, shared_pairs
from seqjax.survey.lengths import few_to_judge_by, length_section, longer_than_train, too_long
from seqjax.survey.nearness import near_sources
from seqjax.survey.order import same_order
from seqjax.survey.suspects import copied_pairs, looped_targets, misaligned_pairs
from seqjax.survey.symbols import is_closed, rare_symbols, symbol_section, unseen_symbols
from seqjax.survey.tokens import Side, cut_side, guess_kind
from seqjax.survey.writing import (
    broken_texts,
    foreign_texts,
    normal_form,
    special_marks,
    unseen_characters,
)


class Sides(NamedTuple):
    """Pairs cut into tokens."""

    source: Side
    target: Side


def cut_pairs(splits: Mapping[str, Split], kinds: Sequence[TokenKind], subword_vocab: int) -> Sides:
    """Returns both sides of all splits in tokens of the given kinds."""
    texts = (
        {name: split.sources for name, split in splits.items()},
        {name: split.targets for name, split in splits.items()},
    )
    return Sides(
        *(
            cut_side(kind, side, subword_vocab=subword_vocab)
            for kind, side in zip(kinds, texts, strict=True)
        )
    )


def survey_pairs(splits: Mapping[str, Split], data: DataConfig) -> Survey:
    """Looks at pairs.

    Args:
      splits: `train`, and `valid` and `test` where they are given, in this order.
      data: What a token is, and the limits that training would have.
    """
    source, target = cut_pairs(splits, (data.source_tokens, data.target_tokens), data.subword_vocab)
    sentences = guess_kind(splits["train"].sources) == "words"
    sections = [
        _extend(
            form_table(splits),
            unusable_lines(splits, skipped=data.on_bad_line == "skip"),
            line_counts(splits),
            line_ends(splits),
            normal_form(splits),
            unseen_characters(splits),
            broken_texts(splits),
            special_marks(splits),
        ),
        _section(
            "Splits and leakage",
            *(shared_pairs(splits, *both) for both in CODE_OF if set(both) <= set(splits)),
            conflicts(splits),
            near_sources(splits, of_words=sentences, closed=sentences and is_closed(source)),
            few_to_judge_by(splits),
        ),
        _section(
            "Ambiguity and noise",
            ambiguous_sources(splits),
            repeated_pairs(splits),
            misaligned_pairs(splits, source, target),
            copied_pairs(splits, of_words=sentences),
            looped_targets(splits, target),
            foreign_texts(splits),
        ),
        _extend(
            length_section(source, target),
            too_long(splits, source, target, data.max_source, data.max_target),
            longer_than_train(splits, source, target),
            batch_plan(source, target, data),
        ),
        _extend(
            symbol_section(source, target, data.min_count),
            suited_tokens(splits, source, target),
            rare_symbols(splits, target),
            *unseen_symbols(splits, source, target, data.min_count),
        ),
        _section(
            "Task",
            same_order(source, target),
            copied_tokens(splits, source, target, data.min_count),
            *simple_answers(splits, source, target),
        ),
    ]
    tokens = {"source": data.source_tokens, "target": data.target_tokens}
    return Survey("text-to-text", tokens, sections)


def _section(title: str, *findings: Finding | None) -> Section:
    return _extend(Section(title, (), ()), *findings)


def _extend(section: Section, *findings: Finding | None) -> Section:
    made: Iterable[Finding] = (finding for finding in findings if finding is not None)
    return section._replace(findings=[*section.findings, *made])
