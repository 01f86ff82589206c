"""What a model of some data takes, without it being made."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax
import numpy as np

from seqjax.build.learner import Learner, build_language_learner, build_seq2seq_learner
from seqjax.build.model import build_language_model, build_seq2seq
from seqjax.build.training import build_training
from seqjax.config import Config
from seqjax.data.vocabulary import Vocabulary
from seqjax.types import Batch, Padded


class Cost(NamedTuple):
    """What is known of a training from its shapes alone.

    Attributes:
      parameters: Numbers that the weights are made of.
      weight_bytes: What they take, in memory and in the file of the best ones.
      state_bytes: What is kept between two steps: weights, optimizer, averages. A checkpoint has
        about that size.
      logits_bytes: Of the largest batch: its rows, times its target tokens, times the vocabulary.
        A step keeps several arrays of that size where the vocabulary is large.
    """

    parameters: int
    weight_bytes: int
    state_bytes: int
    logits_bytes: int


def training_cost(
    config: Config, vocab_sizes: Mapping[str, int], rows: int, longest_target: int
) -> Cost:
    """Returns what a training takes; nothing is computed and no memory taken.

    Args:
      config: Of the run.
      vocab_sizes: Ids of `source` and `target`, or of `text`, the special ones included.
      rows: Of the largest batch.
      longest_target: Time steps of the longest batch.
    """
    learner = _learner(config, vocab_sizes)
    example = Padded(np.zeros((config.data.batch_size, 1), np.int32), _ones(config))
    read = example
    if config.model.copying:  # a source token has two ids
        read = Padded(np.zeros((config.data.batch_size, 1, 2), np.int32), _ones(config))
    key = jax.eval_shape(lambda: jax.random.key(0))
    params = jax.eval_shape(learner.init, Batch(read, example), key)
    training = build_training(config.optimizer, learner, total_steps=1, epoch_steps=1)
    state = jax.eval_shape(training.init_fn, params)
    vocab = vocab_sizes["target" if config.task == "text-to-text" else "text"]
    return Cost(
        sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params)),
        _bytes(params),
        _bytes(state),
        4 * rows * longest_target * vocab,
    )


def _ones(config: Config) -> np.ndarray:
    return np.ones(config.data.batch_size, np.int32)


def _learner(config: Config, vocab_sizes: Mapping[str, int]) -> Learner:
    match config.task:
        case "text-to-text":
            model = build_seq2seq(
                config.model,
                source_vocab_size=vocab_sizes["source"],
                target_vocab_size=vocab_sizes["target"],
                bos_id=Vocabulary.bos_id,
                unk_id=Vocabulary.unk_id,
            )
            return build_seq2seq_learner(model, config.objective)
        case "language-model":
            model = build_language_model(config.model, vocab_size=vocab_sizes["text"])
            return build_language_learner(model, config.objective, config.data.batch_size)


def _bytes(tree: Any) -> int:
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
