"""From configuration to objects: every choice of the project is made in this file."""

from collections.abc import Callable
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from seqjax.attention import AdditiveScorer, DotScorer, GeneralScorer
from seqjax.cells.lstm import LSTMCell
from seqjax.config import DecodeConfig, ModelConfig, OptimizerConfig
from seqjax.decode.logits import (
    chain,
    min_length,
    no_repeat_ngram,
    repetition_penalty,
    temperature,
    top_k,
    top_p,
)
from seqjax.decode.protocol import LogitsProcessor
from seqjax.decode.scoring import average, gnmt
from seqjax.losses import cross_entropy, token_accuracy
from seqjax.models.decoder import Bridge, Decoder, Scorer
from seqjax.models.encoder import Encoder
from seqjax.models.language_model import LanguageModel
from seqjax.models.layers import BidirectionalLayer, ForwardLayer
from seqjax.models.seq2seq import Seq2Seq
from seqjax.types import Batch, Key, Mean, Parameters


def build_scorer(config: ModelConfig) -> Scorer | None:
    """Returns how queries and keys are compared; None for the fixed-vector bottleneck."""
    match config.attention:
        case "none":
            return None
        case "dot":
            return DotScorer()
        case "scaled_dot":
            return DotScorer(scaled=True)
        case "general":
            return GeneralScorer(config.hidden_size)
        case "additive":
            return AdditiveScorer(config.hidden_size)


def _embedding(vocab_size: int, config: ModelConfig) -> nn.Embed:
    return nn.Embed(vocab_size, config.embedding_size, embedding_init=nn.initializers.normal(0.1))


def _cells(config: ModelConfig, bottom_size: int) -> tuple[LSTMCell, ...]:
    sizes = (bottom_size,) + (config.hidden_size,) * (config.decoder_layers - 1)
    return tuple(LSTMCell(size, config.hidden_size) for size in sizes)


def build_seq2seq(
    config: ModelConfig, *, source_vocab_size: int, target_vocab_size: int, bos_id: int
) -> Seq2Seq:
    """Returns an encoder-decoder of the sizes and kinds that `config` names."""

    def layer(input_size: int) -> ForwardLayer | BidirectionalLayer:
        if not config.bidirectional:
            return ForwardLayer(LSTMCell(input_size, config.hidden_size), config.unroll)
        half = config.hidden_size // 2
        return BidirectionalLayer(
            LSTMCell(input_size, half), LSTMCell(input_size, half), config.unroll
        )

    readout_size = config.embedding_size if config.tied_embeddings else config.hidden_size
    fed = readout_size if config.input_feeding else 0
    input_sizes = (config.embedding_size,) + (config.hidden_size,) * (config.encoder_layers - 1)
    return Seq2Seq(
        encoder=Encoder(
            embedding=_embedding(source_vocab_size, config),
            layers=tuple(layer(size) for size in input_sizes),
            dropout_rate=config.dropout,
        ),
        decoder=Decoder(
            embedding=_embedding(target_vocab_size, config),
            cells=_cells(config, config.embedding_size + fed),
            bridge=Bridge(config.bridge, config.hidden_size, config.decoder_layers),
            scorer=build_scorer(config),
            readout_size=readout_size,
            tied=config.tied_embeddings,
            input_feeding=config.input_feeding,
            dropout_rate=config.dropout,
            method=config.unroll,
        ),
        bos_id=bos_id,
    )


def build_language_model(config: ModelConfig, *, vocab_size: int) -> LanguageModel:
    """Returns a stacked LSTM language model."""
    return LanguageModel(
        embedding=_embedding(vocab_size, config),
        cells=_cells(config, config.embedding_size),
        tied=config.tied_embeddings,
        dropout_rate=config.dropout,
        method=config.unroll,
    )


def build_schedule(config: OptimizerConfig, total_steps: int | None) -> optax.Schedule:
    """Returns the learning rate as a function of the step.

    Raises:
      ValueError: If the schedule needs a last step and there is none.
    """
    peak, warmup = config.learning_rate, config.warmup_steps
    if config.schedule in ("linear", "cosine") and total_steps is None:
        raise ValueError(f"schedule {config.schedule!r} needs a number of steps or epochs")
    falling = max((total_steps or 0) - warmup, 1)
    match config.schedule:
        case "constant":
            after = optax.constant_schedule(peak)
        case "linear":
            after = optax.linear_schedule(peak, 0.0, falling)
        case "cosine":
            after = optax.cosine_decay_schedule(peak, falling)
        case "inverse_sqrt":
            scale = max(warmup, 1)
            after = lambda step: peak * jnp.sqrt(scale / (scale + step))
    return optax.join_schedules([optax.linear_schedule(0.0, peak, max(warmup, 1)), after], [warmup])


def build_optimizer(
    config: OptimizerConfig, total_steps: int | None
) -> optax.GradientTransformation:
    """Returns clipping, update rule and schedule as one optax transformation."""
    schedule = build_schedule(config, total_steps)
    match config.name:
        case "adam":
            rule = optax.adam(schedule)
        case "adamw":
            rule = optax.adamw(schedule, weight_decay=config.weight_decay)
        case "sgd":
            rule = optax.sgd(schedule)
    if config.clip_norm:
        return optax.chain(optax.clip_by_global_norm(config.clip_norm), rule)
    return rule


class Learner(NamedTuple):
    """What training needs of a task: a model with a loss, whatever the task is.

    Attributes:
      model: The linen module.
      init: `(example batch, key) -> params`.
      loss_fn: A `LossFn` with one more keyword, `train`: whether dropout and label smoothing are on.
        Without them the loss is the negative log-likelihood in nats per token.
      memory: What the first batch of an epoch receives; see `LossFn`.
    """

    model: nn.Module
    init: Callable[[Batch, Key], Parameters]
    loss_fn: Callable[..., tuple[Mean, tuple[dict[str, Mean], Any]]]
    memory: Any


def build_seq2seq_learner(model: Seq2Seq, config: OptimizerConfig) -> Learner:
    """Returns the text-to-text task: say the target, given the source."""

    def loss_fn(params: Parameters, memory: Any, batch: Batch, key: Key, *, train: bool):
        logits, _ = model.apply(
            {"params": params}, batch.inputs, batch.targets, train=train, rngs={"dropout": key}
        )
        loss, means = _token_means(logits, batch, config, train)
        return loss, (means, memory)

    def init(batch: Batch, key: Key) -> Parameters:
        return model.init(key, batch.inputs, batch.targets)["params"]

    return Learner(model, init, loss_fn, ())


def build_language_learner(model: LanguageModel, config: OptimizerConfig, rows: int) -> Learner:
    """Returns the language-model task: say the next token; the state goes from batch to batch."""

    def loss_fn(params: Parameters, memory: Any, batch: Batch, key: Key, *, train: bool):
        memory, logits = model.apply(
            {"params": params}, batch.inputs, memory, train=train, rngs={"dropout": key}
        )
        loss, means = _token_means(logits, batch, config, train)
        return loss, (means, memory)

    def init(batch: Batch, key: Key) -> Parameters:
        return model.init(key, batch.inputs, memory)["params"]

    memory = model.initial_carry(rows)
    return Learner(model, init, loss_fn, memory)


def _token_means(logits, batch: Batch, config: OptimizerConfig, train: bool):
    smoothing = config.label_smoothing if train else 0.0
    loss = cross_entropy(logits, batch.targets, label_smoothing=smoothing)
    return loss, {"token_accuracy": token_accuracy(logits, batch.targets)}


def build_length_penalty(config: DecodeConfig):
    """Returns what a hypothesis' log-probability is divided by, as a function of its length."""
    match config.length_penalty_kind:
        case "average":
            return average(config.length_penalty)
        case "gnmt":
            return gnmt(config.length_penalty)


def build_processor(
    config: DecodeConfig, *, eos_id: int, exempt: tuple[int, ...]
) -> LogitsProcessor:
    """Returns the chain of logits processors in the order in which they act.

    Penalties come first, then what is forbidden, then (for sampling) what narrows the choice.

    Args:
      config: Which of them, and how strong.
      eos_id: Held back by `min_length`.
      exempt: Ids that no repetition rule touches: EOS, which ends an answer and repeats nothing.
    """
    processors = []
    if config.repetition_penalty != 1.0:
        processors.append(repetition_penalty(config.repetition_penalty, exempt=exempt))
    if config.no_repeat_ngram:
        processors.append(no_repeat_ngram(config.no_repeat_ngram, exempt=exempt))
    if config.min_length:
        processors.append(min_length(config.min_length, eos_id=eos_id))
    if config.method == "sample":
        if config.temperature != 1.0:
            processors.append(temperature(config.temperature))
        if config.top_k:
            processors.append(top_k(config.top_k))
        if config.top_p < 1.0:
            processors.append(top_p(config.top_p))
    return chain(*processors)


def count_params(params: Parameters) -> int:
    """Returns how many numbers the weights are made of."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
