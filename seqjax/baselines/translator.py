"""Word for word from left to right: a lexicon proposes, an n-gram model of the target chooses."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seqjax.baselines.lexicon import Lexicon, train_lexicon
from seqjax.baselines.ngram import NGramModel, train_ngram

EOS = 0
"""The id of the end in the target's own numbering; its words have 1, 2, ..."""
LEAST = 1e-9
"""Probability of what the other direction has never seen."""


class Weights(NamedTuple):
    """What each part of a score counts; all are of log-probabilities in nats but the last.

    Attributes:
      language: Of the target sentence.
      forward: Of a target word, given its source word.
      reverse: Of a source word, given its target word, or NULL if it is dropped.
      word: Added for each word that is said: what a word must be worse by than silence.
    """

    language: float = 1.0
    forward: float = 1.0
    reverse: float = 0.5
    word: float = 6.0


class WordTranslator(NamedTuple):
    """A monotone translator: each source word becomes one target word, or none.

    Attributes:
      source_ids: The id of each source word.
      target_words: The word of each target id; that of EOS is empty.
      forward: From source words to target words.
      reverse: From target words to source words.
      language: Of target sentences.
    """

    source_ids: Mapping[str, int]
    target_words: Sequence[str]
    forward: Lexicon
    reverse: Lexicon
    language: NGramModel

    def translate(
        self,
        words: Sequence[str],
        *,
        weights: Weights = Weights(),
        beam_size: int = 8,
        count: int = 8,
    ) -> list[str]:
        """Returns the best target words that a beam finds; words never seen are copied.

        Args:
          words: Of the source sentence.
          weights: Of the parts of the score.
          beam_size: Hypotheses kept after each source word; of those that end alike for the
            language model, only the best.
          count: Target words that are tried for each source word, besides none.
        """
        span = max(len(self.language.orders) - 1, 0)
        beam = [(0.0, (), ())]  # score, words, ids
        for word in words:
            source = self.source_ids.get(word)
            if source is None:
                beam = [(score, (*said, word), ids) for score, said, ids in beam]
                continue
            silence, options = self._options(source, weights, count)
            best: dict[tuple[int, ...], tuple] = {}
            for score, said, ids in beam:
                probs = self.language.next_distribution(ids)
                longer = [(score + silence, said, ids)]
                for token, value in options:
                    value += score + weights.language * math.log(probs[token])
                    longer.append((value, (*said, self.target_words[token]), (*ids, token)))
                for hypothesis in longer:
                    # The first words stand after the boundary, so how many they are counts, too.
                    end = (
                        min(len(hypothesis[2]), span),
                        *hypothesis[2][max(0, len(hypothesis[2]) - span) :],
                    )
                    if end not in best or hypothesis[0] > best[end][0]:
                        best[end] = hypothesis
            beam = sorted(best.values(), key=lambda one: -one[0])[:beam_size]
        ended = [
            (score + weights.language * math.log(self.language.next_distribution(ids)[EOS]), said)
            for score, said, ids in beam
        ]
        return list(max(ended, key=lambda one: one[0])[1])

    def _options(
        self, source: int, weights: Weights, count: int
    ) -> tuple[float, list[tuple[int, float]]]:
        """Returns the score of saying nothing, and target ids with theirs."""
        backwards = lambda token: math.log(max(self.reverse.prob(source, token), LEAST))
        silence = weights.reverse * backwards(self.reverse.source_size)
        return silence, [
            (
                token,
                weights.word
                + weights.forward * math.log(max(prob, LEAST))
                + weights.reverse * backwards(token),
            )
            for token, prob in self.forward.candidates(source, count)
        ]


def train_translator(
    sources: Sequence[Sequence[str]],
    targets: Sequence[Sequence[str]],
    *,
    order: int = 3,
    iterations: int = 10,
) -> WordTranslator:
    """Returns a translator learnt from pairs of sentences, as words.

    Args:
      sources: Words of each source sentence.
      targets: Words of each target sentence.
      order: Of the n-gram model of the target.
      iterations: Of EM, in both directions.

    Raises:
      ValueError: If there is not one target for each source.
    """
    source_ids = {word: at for at, word in enumerate(sorted({w for s in sources for w in s}))}
    target_words = ["", *sorted({word for target in targets for word in target})]
    target_ids = {word: at for at, word in enumerate(target_words) if at}
    source_sides = [np.array([source_ids[word] for word in source], int) for source in sources]
    target_sides = [np.array([target_ids[word] for word in target], int) for target in targets]
    sizes = {"source_size": len(source_ids), "target_size": len(target_words)}
    turned = {"source_size": len(target_words), "target_size": len(source_ids)}
    language = train_ngram(
        [np.append(side, EOS) for side in target_sides], order=order, vocab_size=len(target_words)
    )
    return WordTranslator(
        source_ids,
        target_words,
        train_lexicon(source_sides, target_sides, iterations=iterations, **sizes),
        train_lexicon(target_sides, source_sides, iterations=iterations, **turned),
        language,
    )
