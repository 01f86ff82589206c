"""Everything there is to say about pairs of texts, in the order in which it is told."""

from collections.abc import Mapping

from seqjax.config import DataConfig
from seqjax.data.vocabulary import TokenKind
from seqjax.survey.ambiguity import ambiguous_sources, repeated_pairs
from seqjax.survey.answers import copied_tokens, simple_answers, suited_tokens
from seqjax.survey.batches import batch_plan
from seqjax.survey.checks import form_section, leakage_section
from seqjax.survey.corpus import Split
from seqjax.survey.finding import Survey, extended, section
from seqjax.survey.lengths import length_section, longer_than_train, too_long
from seqjax.survey.order import same_order
from seqjax.survey.suspects import copied_pairs, looped_targets, misaligned_pairs
from seqjax.survey.symbols import (
    rare_symbols,
    symbol_section,
    unseen_symbols,
    vocabulary_size,
)
from seqjax.survey.tokens import cut_sides, guess_kind
from seqjax.survey.writing import foreign_texts


def survey_pairs(splits: Mapping[str, Split], data: DataConfig) -> Survey:
    """Looks at pairs.

    Args:
      splits: `train`, and `valid` and `test` where they are given, in this order.
      data: What a token is, and the limits that training would have.
    """
    tokens: dict[str, TokenKind] = {"source": data.source_tokens, "target": data.target_tokens}
    sides = cut_sides(splits, tokens, data.subword_vocab)
    source, target = sides["source"], sides["target"]
    lengths = {word: side.lengths for word, side in sides.items()}
    sections = [
        form_section(splits, splits, data),
        leakage_section(splits, source),
        section(
            "Ambiguity and noise",
            ambiguous_sources(splits),
            repeated_pairs(splits),
            misaligned_pairs(splits, lengths),
            copied_pairs(splits, of_words=guess_kind(splits["train"].sources) == "words"),
            looped_targets(splits, target),
            foreign_texts(splits),
        ),
        extended(
            length_section(lengths),
            too_long(splits, lengths, data),
            longer_than_train(splits, lengths),
            batch_plan(lengths, data),
        ),
        extended(
            symbol_section(sides, data.min_count),
            suited_tokens(splits, sides),
            rare_symbols(splits, target),
            *unseen_symbols(splits, sides, data.min_count),
        ),
        section(
            "Task",
            same_order(source, target),
            copied_tokens(splits, source, target, data.min_count),
            *simple_answers(splits, target),
        ),
    ]
    sizes = {word: vocabulary_size(side, data.min_count) for word, side in sides.items()}
    return Survey("text-to-text", tokens, sections, sizes)
