"""Everything there is to say about tokens and their tags, in the order in which it is told."""

from collections.abc import Mapping

from seqjax.config import DataConfig
from seqjax.data.tagging import TagScheme
from seqjax.data.vocabulary import TokenKind
from seqjax.survey.ambiguity import ambiguous_sources, repeated_pairs
from seqjax.survey.batches import batch_plan
from seqjax.survey.checks import form_section, leakage_section
from seqjax.survey.corpus import Split
from seqjax.survey.finding import Survey, extended, section
from seqjax.survey.labels import label_findings, label_section
from seqjax.survey.lengths import length_section, longer_than_train, too_long
from seqjax.survey.schemes import scheme_breaks
from seqjax.survey.symbols import symbol_section, unseen_symbols, vocabulary_size
from seqjax.survey.tags import ambiguous_tokens, tag_answers
from seqjax.survey.tokens import cut_sides
from seqjax.survey.writing import foreign_texts


def survey_tagged(
    splits: Mapping[str, Split], data: DataConfig, scheme: TagScheme | None
) -> Survey:
    """Looks at texts and the tags of their tokens.

    Args:
      splits: `train`, and `valid` and `test` where they are given, in this order; every pair has as
        many tags as tokens (`evenly_tagged`).
      data: What a token is, and the limits that training would have.
      scheme: Which sequences of tags there may be, if something says so.
    """
    kinds: dict[str, TokenKind] = {"source": data.source_tokens, "target": "tags"}
    sides = cut_sides(splits, kinds, data.subword_vocab)
    read = {"source": sides["source"]}
    lengths = {word: side.lengths for word, side in sides.items()}
    sections = [
        form_section(splits, splits, data),
        leakage_section(splits, sides["source"]),
        section(
            "Ambiguity and noise",
            ambiguous_sources(splits, "the share of whole sequences", "report it with the score"),
            ambiguous_tokens(splits, data.source_tokens),
            repeated_pairs(splits),
            foreign_texts({name: split.texts_of("source") for name, split in splits.items()}),
        ),
        extended(
            length_section({"source": lengths["source"]}),
            too_long(splits, lengths, data, cut=False),
            longer_than_train(splits, {"source": lengths["source"]}),
            batch_plan(lengths, data, ends=False),
        ),
        extended(
            symbol_section(read, data.min_count), *unseen_symbols(splits, read, data.min_count)
        ),
        extended(
            label_section(sides["target"], "tag"),
            *label_findings(splits, sides["target"], "tag"),
            scheme_breaks(splits, sides["target"], scheme),
            *tag_answers(splits, data.source_tokens),
        ),
    ]
    sizes = {word: vocabulary_size(side, data.min_count) for word, side in sides.items()}
    return Survey("tag", kinds, sections, sizes)
