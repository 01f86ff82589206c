"""Interpolated modified Kneser-Ney language models of any order, over ids."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from seqjax.baselines.counts import check_ids, count_ngrams, lay_out
from seqjax.baselines.smoothing import Order, smooth


class NGramModel(NamedTuple):
    """A language model that knows the last `order - 1` tokens.

    Every sequence starts at a boundary that is seen as context and never predicted. Every id of the
    vocabulary has a probability in every context, and they add up to 1.

    Attributes:
      vocab_size: Of the ids.
      orders: Of n-grams, the shortest first.
    """

    vocab_size: int
    orders: tuple[Order, ...]

    def log_probs(self, tokens: np.ndarray, context: Sequence[int] | np.ndarray = ()) -> np.ndarray:
        """Returns `[time]`, the log-probability in nats of each token of a text.

        Args:
          tokens: Ids.
          context: Ids that stand before, from the beginning of the sequence on or at least the last
            `order - 1`.
        """
        tokens = np.asarray(tokens, np.int64)
        window = self._window(context)
        check_ids(tokens, self.vocab_size)
        return self._log_probs(np.concatenate([window, tokens]))[len(window) :]

    def sequence_log_probs(self, sequences: Iterable[np.ndarray]) -> np.ndarray:
        """Returns `[time]`, those of all tokens of sequences, end to end; each starts afresh."""
        stream = lay_out(sequences, self.vocab_size)
        return self._log_probs(stream.tokens)[stream.places > 0]

    def next_distribution(self, context: Sequence[int] | np.ndarray = ()) -> np.ndarray:
        """Returns `[vocab]`, the probabilities of what follows a context as in `log_probs`."""
        return self._distribution(self._contexts(self._window(context)))

    def _window(self, context: Sequence[int] | np.ndarray) -> np.ndarray:
        ids = np.asarray(context, np.int64)
        check_ids(ids, self.vocab_size)
        window = np.concatenate([[self.vocab_size], ids])
        return window[max(0, len(window) - len(self.orders) + 1) :]

    def _log_probs(self, tokens: np.ndarray) -> np.ndarray:
        # Nothing is known beyond a boundary: it was never seen but as the first of its n-gram.
        base = self.vocab_size + 1
        probs = np.full(len(tokens), 1 / self.vocab_size)
        contexts = np.zeros(len(tokens), np.int64)
        for order in self.orders:
            known = np.flatnonzero(contexts >= 0)
            found = find(order.keys, contexts[known] * base + tokens[known])
            gains = np.where(found >= 0, order.gains[found], 0.0)
            probs[known] = order.backoffs[contexts[known]] * probs[known] + gains
            nodes = np.full(len(tokens), -1)
            nodes[known] = found
            contexts = np.concatenate([[-1], nodes[:-1]])
        return np.log(probs)

    def _contexts(self, window: np.ndarray) -> list[int]:
        """Returns the index of each suffix of a window among the n-grams of its length, or -1."""
        nodes = [0]
        for token in window:
            nodes = self._follow(nodes, int(token))
        return nodes

    def _follow(self, nodes: list[int], token: int) -> list[int]:
        """Returns the contexts of `_contexts` after one token more."""
        longer = [0]
        for node, order in zip(nodes, self.orders[:-1], strict=False):
            key = np.array([node * (self.vocab_size + 1) + token])
            longer.append(int(find(order.keys, key)[0]) if node >= 0 else -1)
        return longer

    def _distribution(self, nodes: list[int]) -> np.ndarray:
        base = self.vocab_size + 1
        probs = np.full(base, 1 / self.vocab_size)
        for node, order in zip(nodes, self.orders, strict=False):
            if node < 0:
                continue
            first, last = np.searchsorted(order.keys, [node * base, (node + 1) * base])
            probs *= order.backoffs[node]
            probs[order.keys[first:last] % base] += order.gains[first:last]
        return probs[:-1]

    def sample(
        self,
        length: int,
        *,
        seed: int,
        context: Sequence[int] | np.ndarray = (),
        temperature: float = 1.0,
        eos_id: int | None = None,
        never: Sequence[int] = (),
    ) -> np.ndarray:
        """Returns at most `length` ids drawn one after the other.

        Args:
          length: In tokens.
          seed: Of the draw.
          context: Ids that stand before.
          temperature: Probabilities are raised to its inverse; 0 takes the most probable.
          eos_id: Ends a draw, and is its last token; None goes on.
          never: Ids that are not drawn.
        """
        generator = np.random.default_rng(seed)
        nodes, drawn = self._contexts(self._window(context)), []
        while len(drawn) < length and (not drawn or drawn[-1] != eos_id):
            log_probs = np.log(self._distribution(nodes))
            log_probs[list(never)] = -np.inf
            if temperature > 0:
                noise = generator.gumbel(size=len(log_probs))
                token = int(np.argmax(log_probs / temperature + noise))
            else:
                token = int(np.argmax(log_probs))
            drawn.append(token)
            nodes = self._follow(nodes, token)
        return np.array(drawn, np.int64)

    def to_arrays(self) -> dict[str, np.ndarray]:
        """Returns all that the model is as arrays by name, for a file."""
        arrays = {"vocab_size": np.array(self.vocab_size)}
        for length, order in enumerate(self.orders, start=1):
            for name, array in order._asdict().items():
                arrays[f"{length}.{name}"] = array
        return arrays


def from_arrays(arrays: Mapping[str, np.ndarray]) -> NGramModel:
    """Returns the model that `to_arrays` was asked of."""
    lengths = sorted(int(name.split(".")[0]) for name in arrays if name.endswith(".keys"))
    orders = [
        Order(*(np.asarray(arrays[f"{length}.{name}"]) for name in Order._fields))
        for length in lengths
    ]
    return NGramModel(int(arrays["vocab_size"]), tuple(orders))


def train_ngram(sequences: Iterable[np.ndarray], *, order: int, vocab_size: int) -> NGramModel:
    """Returns the model of sequences; nothing is drawn and nothing is tuned.

    Args:
      sequences: Ids, without BOS; with EOS, if the model is to know where sequences end. One
        running text is one sequence.
      order: Of the longest n-grams, in tokens, the predicted one included.
      vocab_size: Of the ids.

    Raises:
      ValueError: If `order` is below 1, or an id is not in [0, vocab_size).

    References:
      Chen and Goodman, "An empirical study of smoothing techniques for language modeling", 1998.

    >>> model = train_ngram([np.array([0, 1, 0, 1, 2])], order=3, vocab_size=3)
    >>> int(model.next_distribution([0]).argmax())
    1
    """
    stream = lay_out(sequences, vocab_size)
    return NGramModel(
        vocab_size, tuple(smooth(count_ngrams(stream, order, vocab_size), vocab_size))
    )


def find(keys: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Returns where each wanted key stands among ascending keys, or -1.

    >>> find(np.array([2, 5, 9]), np.array([5, 6, 10])).tolist()
    [1, -1, -1]
    """
    if not len(keys):
        return np.full(len(wanted), -1)
    places = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[places] == wanted, places, -1)
