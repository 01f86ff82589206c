"""From models that say something of each step to what training minimises."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jaxtyping import Array, Float

from seqjax.build.learner import Learner, applied
from seqjax.build.objective import Said, token_loss
from seqjax.config import ObjectiveConfig
from seqjax.data.vocabulary import Vocabulary
from seqjax.losses import crf_loss, cross_entropy, ctc_loss, squared_error, token_accuracy
from seqjax.metrics.likelihood import example_scores
from seqjax.models.classifier import Classifier
from seqjax.models.tagger import Tagger
from seqjax.types import Batch, Key, Mean, Padded, Parameters

BLANK_ID = Vocabulary.pad_id
"""What a CTC model says where it says nothing: no target holds it."""
Measured = tuple[Mean, dict[str, Mean]]
"""A loss, and what else is measured."""


def build_classifier_learner(model: Classifier, config: ObjectiveConfig) -> Learner:
    """Returns the task of saying which label a source has; the label is a target of one step."""

    def measure(logits: Any, shown: Any, targets: Padded, train: bool) -> Measured:
        return _of_tokens(config, logits, shown, targets, train)

    return _learner(model, measure)


def build_tagger_learner(model: Tagger, config: ObjectiveConfig) -> Learner:
    """Returns the task of saying a tag for each step of a source.

    The loss, in nats per tag, is that of a conditional random field where the model is one.
    """

    def measure(said: Any, shown: Any, targets: Padded, train: bool) -> Measured:
        if model.chain:
            return crf_loss(said.logits, targets, said.transitions), {}
        return _of_tokens(config, said.logits, shown, targets, train)

    return _learner(model, measure)


def build_ctc_learner(model: Tagger) -> Learner:
    """Returns the task of saying labels, at whichever steps of a source; see `ctc_loss`.

    `impossible` is shown: the share of sources that are too short for their labels, of which
    nothing is learnt.
    """

    def measure(said: Any, shown: Any, targets: Padded, train: bool) -> Measured:
        found = ctc_loss(said.logits, said.lengths, targets, blank_id=BLANK_ID)
        return found.loss, {"impossible": found.impossible}

    return _learner(model, measure)


def build_regression_learner(model: Classifier) -> Learner:
    """Returns the task of saying which number a source has; see `squared_error`."""

    def measure(said: Any, shown: Any, targets: Padded, train: bool) -> Measured:
        return squared_error(said, targets), {}

    return _learner(model, measure)._replace(scores_fn=example_scores)


def _of_tokens(
    config: ObjectiveConfig,
    logits: Float[Array, "batch time classes"],
    shown: Any,
    targets: Padded,
    train: bool,
) -> Measured:
    means = {"accuracy": token_accuracy(logits, targets)}
    if not train:
        return cross_entropy(logits, targets), means
    nowhere = jnp.zeros((*logits.shape[:2], 0))
    said = Said(logits, nowhere, shown["outputs"], shown["dropped"])
    return token_loss(config, said, targets), means


def _learner(
    model: Classifier | Tagger, measure_fn: Callable[[Any, Any, Padded, bool], Measured]
) -> Learner:
    def loss_fn(
        params: Parameters, memory: Any, batch: Batch, key: Key, step: Any, *, train: bool, given=()
    ):
        said, shown = applied(model, ({"params": params}, batch.inputs), key, train)
        assert isinstance(batch.targets, Padded)
        loss, means = measure_fn(said, shown, batch.targets, train)
        return loss, (means, memory)

    def init(batch: Batch, key: Key) -> Parameters:
        variables: Any = model.init(key, batch.inputs)
        return variables["params"]

    return Learner(model, init, loss_fn, (), {"source": ("encoder", "embedding", "embedding")})
