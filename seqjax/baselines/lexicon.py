"""IBM Model 1: which word is the translation of which, by EM over pairs of sentences."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


class Lexicon(NamedTuple):
    """Translation probabilities `t(target word | source word)` of all words seen in one pair.

    Attributes:
      source_ids: `[entries]` ascending; `source_size` is NULL, the source of words without one.
      target_ids: `[entries]` ascending within a source word.
      probs: `[entries]`; those of one source word add up to 1.
      source_size: How many ids the source side has, NULL not included.
      log_likelihoods: `[iterations]` of the training data in nats, before each iteration and
        without the part that depends on lengths alone.
    """

    source_ids: np.ndarray
    target_ids: np.ndarray
    probs: np.ndarray
    source_size: int
    log_likelihoods: tuple[float, ...]

    def candidates(self, source_id: int, count: int) -> list[tuple[int, float]]:
        """Returns the most probable target words of a source word, with their probabilities.

        Args:
          source_id: A word, or `source_size` for NULL.
          count: How many at most; none for a word that was never seen.
        """
        first, last = np.searchsorted(self.source_ids, [source_id, source_id + 1])
        best = first + np.argsort(-self.probs[first:last], kind="stable")[:count]
        return [(int(self.target_ids[entry]), float(self.probs[entry])) for entry in best]

    def prob(self, target_id: int, source_id: int) -> float:
        """Returns `t(target_id | source_id)`, 0 for two words that were never in one pair."""
        first, last = np.searchsorted(self.source_ids, [source_id, source_id + 1])
        entry = first + np.searchsorted(self.target_ids[first:last], target_id)
        met = entry < last and self.target_ids[entry] == target_id
        return float(self.probs[entry]) if met else 0.0


def train_lexicon(
    sources: Sequence[np.ndarray],
    targets: Sequence[np.ndarray],
    *,
    source_size: int,
    target_size: int,
    iterations: int = 10,
) -> Lexicon:
    r"""Returns the lexicon of pairs of sentences; for the other direction, exchange the two.

    `p(f | e) ~ prod_j sum_i t(f_j | e_i)`, where e_0 is NULL. Each iteration counts how much of
    each target word each source word is to be credited with, `t(f_j | e_i) / sum_i' t(f_j | e_i')`,
    and takes the shares of the counts. All words begin equally probable; the likelihood has no
    maximum but the highest, so EM from there never ends in a worse one.

    Args:
      sources: Ids of each source sentence, without BOS and EOS.
      targets: Ids of each target sentence, likewise.
      source_size: Of the source ids.
      target_size: Of the target ids.
      iterations: Of EM.

    Raises:
      ValueError: If there is not one target for each source.

    References:
      Brown et al., "The mathematics of statistical machine translation", 1993, section 4.1.
    """
    if len(sources) != len(targets):
        raise ValueError(f"targets must be {len(sources)}, one a source, got {len(targets)}")
    links, words = _links(sources, targets, source_size, target_size)
    keys, entries = np.unique(links, return_inverse=True)
    source_ids, target_ids = np.divmod(keys, target_size)
    probs = np.full(len(keys), 1 / max(target_size, 1))
    log_likelihoods = []
    for _ in range(iterations):
        credit = probs[entries]
        totals = np.bincount(words, credit)
        log_likelihoods.append(float(np.log(totals).sum()))
        counts = np.bincount(entries, credit / totals[words], minlength=len(keys))
        probs = counts / np.bincount(source_ids, counts, minlength=source_size + 1)[source_ids]
    return Lexicon(source_ids, target_ids, probs, source_size, tuple(log_likelihoods))


def _links(
    sources: Sequence[np.ndarray], targets: Sequence[np.ndarray], source_size: int, target_size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Returns all pairs of words within pairs of sentences, as keys, and the target word of each.

    A key is `source id * target_size + target id`; target words are numbered through the corpus.
    """
    keys, words, number = [np.zeros(0, np.int64)], [np.zeros(0, np.int64)], 0
    for source, target in zip(sources, targets, strict=True):
        whole = np.append(np.asarray(source, np.int64), source_size)
        keys.append((whole[None, :] * target_size + np.asarray(target)[:, None]).ravel())
        words.append(np.repeat(np.arange(number, number + len(target)), len(whole)))
        number += len(target)
    return np.concatenate(keys), np.concatenate(words)
