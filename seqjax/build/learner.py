"""From a model and a configuration to what training minimises."""

import functools
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from seqjax.build.objective import Said, build_own_share, taught, token_loss
from seqjax.build.own_answers import OwnAnswersFn, loss_of_tokens_alone
from seqjax.build.stepping import Decoding, Prompted, encode, language_step_fn, seq2seq_step_fn
from seqjax.build.tables import Tables
from seqjax.build.teacher import Teacher, language_says, seq2seq_says
from seqjax.config import ObjectiveConfig
from seqjax.decode.protocol import StepFn
from seqjax.losses import attention_spread, cross_entropy, token_accuracy
from seqjax.masking import last_valid
from seqjax.metrics.likelihood import likelihood_scores
from seqjax.models.language_model import LanguageModel
from seqjax.models.seq2seq import Seq2Seq
from seqjax.types import Batch, Key, Mean, Padded, Parameters


class Learner(NamedTuple):
    """What training needs of a task: a model with a loss, whatever the task is.

    Attributes:
      model: The linen module.
      init: `(example batch, key) -> params`.
      loss_fn: A `LossFn` with two more keywords. `train`: whether dropout, label smoothing and all
        else that only serves to learn is on. Without it the loss is the negative log-likelihood in
        nats per token. `given`: arrays that it needs while learning and that are not learnt, the
        weights of teachers.
      memory: What the first batch of an epoch receives; see `LossFn`.
      tables: Where the embedding of each vocabulary stands in the weights.
      held: Rows of these embeddings that are not learnt, by vocabulary.
      given: See `loss_fn`.
      scores_fn: `(mean loss, its weight) -> scores`: what a loss is told by.
    """

    model: nn.Module
    init: Callable[[Batch, Key], Parameters]
    loss_fn: Callable[..., tuple[Mean, tuple[dict[str, Mean], Any]]]
    memory: Any
    tables: Tables
    held: Mapping[str, Any] = MappingProxyType({})
    given: tuple[Any, ...] = ()
    scores_fn: Callable[[float, int], dict[str, float]] = likelihood_scores


def build_seq2seq_learner(
    model: Seq2Seq,
    config: ObjectiveConfig,
    own_answers: OwnAnswersFn = loss_of_tokens_alone,
    teachers: Sequence[Teacher] = (),
) -> Learner:
    """Returns the text-to-text task: say the target, given the source."""
    own_share_fn = build_own_share(config)

    def loss_fn(
        params: Parameters, memory: Any, batch: Batch, key: Key, step: Any, *, train: bool, given=()
    ):
        own_share = own_share_fn(step) if train and own_share_fn else None
        asked = {"params": params}, batch.inputs, batch.targets, own_share
        (logits, weights), shown = applied(model, asked, key, train)
        loss, means = _measured(logits, batch)
        if train:
            inside = shown["decoder"]
            said = Said(logits, weights, inside["outputs"], inside["dropped"])
            loss = token_loss(config, said, batch.targets)
            if teachers:
                theirs = seq2seq_says(teachers, given, batch.inputs, batch.targets)
                loss = taught(config, loss, logits, theirs, batch.targets)
            begin_fn = functools.partial(_begin_answers, model, batch.inputs)
            loss = own_answers(loss, begin_fn, params, batch.targets, jax.random.fold_in(key, 1))
        elif weights.shape[-1]:
            means["attention_spread"] = attention_spread(weights, batch.targets.lengths)
        return loss, (means, memory)

    def init(batch: Batch, key: Key) -> Parameters:
        variables: Any = model.init(key, batch.inputs, batch.targets)
        return variables["params"]

    tables = {
        side: (room, "embedding", "embedding")
        for side, room in (("source", "encoder"), ("target", "decoder"))
    }
    return Learner(model, init, loss_fn, (), tables)


def build_language_learner(
    model: LanguageModel,
    config: ObjectiveConfig,
    rows: int,
    own_answers: OwnAnswersFn = loss_of_tokens_alone,
    teachers: Sequence[Teacher] = (),
) -> Learner:
    """Returns the language-model task: say the next token; the state goes from batch to batch."""

    def loss_fn(
        params: Parameters, memory: Any, batch: Batch, key: Key, step: Any, *, train: bool, given=()
    ):
        carry, others = memory
        (carry, logits), shown = applied(
            model, ({"params": params}, batch.inputs, carry), key, train
        )
        loss, means = _measured(logits, batch)
        if train:
            said = Said(logits, logits[..., :0], shown["outputs"], shown["dropped"])
            loss = token_loss(config, said, batch.targets)
            if teachers:
                theirs, others = language_says(teachers, given, batch.inputs, others)
                loss = taught(config, loss, logits, theirs, batch.targets)
            begin_fn = functools.partial(_go_on_after, model, carry, batch.targets)
            loss = own_answers(loss, begin_fn, params, batch.targets, jax.random.fold_in(key, 1))
        return loss, (means, (carry, others))

    def init(batch: Batch, key: Key) -> Parameters:
        variables: Any = model.init(key, batch.inputs, model.initial_carry(rows))
        return variables["params"]

    others = tuple(teacher.model.initial_carry(rows) for teacher in teachers)
    memory = model.initial_carry(rows), others
    return Learner(model, init, loss_fn, memory, {"text": ("embedding", "embedding")})


def _begin_answers(model: Seq2Seq, source: Padded, params: Parameters) -> tuple[StepFn, Decoding]:
    state, memory = encode(model, params, source, covering=False)
    most_source = source.values.shape[1]
    return seq2seq_step_fn(model, params, memory, most_source=most_source), state


def _go_on_after(
    model: LanguageModel, carry: Any, targets: Padded, params: Parameters
) -> tuple[StepFn, Prompted]:
    """A text goes on after a window of targets, the last of which has not been read."""
    last = last_valid(targets.values, targets.lengths)
    return language_step_fn(model, params), Prompted(carry, last, jnp.zeros(last.shape, bool))


def applied(model: nn.Module, asked: tuple, key: Key, train: bool) -> tuple[Any, Any]:
    """Returns what a model says, and what it shows. It is noisy where it has a key for it."""
    if not train:
        return model.apply(*asked), {}
    found: Any = model.apply(*asked, rngs={"dropout": key}, mutable="intermediates")
    said, shown = found
    return said, shown["intermediates"]


def _measured(logits, batch: Batch) -> tuple[Mean, dict[str, Mean]]:
    assert isinstance(batch.targets, Padded)
    means = {"token_accuracy": token_accuracy(logits, batch.targets)}
    return cross_entropy(logits, batch.targets), means
