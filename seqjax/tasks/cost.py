"""What a model of some data takes, without it being made."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import jax

from seqjax.build.training import build_training
from seqjax.config import Config
from seqjax.tasks.choose import build_task


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
    task, key = build_task(config), jax.eval_shape(lambda: jax.random.key(0))
    learner = task.learner(vocab_sizes)
    params = jax.eval_shape(learner.init, task.example(vocab_sizes), key)
    training = build_training(config.optimizer, learner, total_steps=1, epoch_steps=1)
    state = jax.eval_shape(training.init_fn, params)
    vocab = vocab_sizes["target" if "target" in vocab_sizes else "text"]
    return Cost(
        sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params)),
        _bytes(params),
        _bytes(state),
        4 * rows * longest_target * vocab,
    )


def _bytes(tree: Any) -> int:
    return sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in jax.tree.leaves(tree))
