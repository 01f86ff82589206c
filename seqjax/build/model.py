"""From configuration to networks."""

import functools
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp

from seqjax.attention import AdditiveScorer, DotScorer, GeneralScorer, Scorer
from seqjax.cells.cell import Cell, CellFn
from seqjax.cells.dense import Dense
from seqjax.cells.gru import GRUCell, MGUCell
from seqjax.cells.lstm import LSTMCell
from seqjax.cells.lstm_variant import VARIANTS
from seqjax.cells.minimal import MinGRUCell, MinLSTMCell
from seqjax.cells.rnn import RNNCell
from seqjax.cells.slstm import SLSTMCell
from seqjax.cells.zoneout import Zoneout
from seqjax.config import ModelConfig
from seqjax.models.bridge import Bridge
from seqjax.models.classifier import Classifier
from seqjax.models.copier import Copier
from seqjax.models.decoder import Decoder
from seqjax.models.encoder import Encoder
from seqjax.models.language_model import LanguageModel
from seqjax.models.layers import BidirectionalLayer, Layer
from seqjax.models.pooling import Pooling
from seqjax.models.reader import Reader
from seqjax.models.seq2seq import Seq2Seq
from seqjax.models.tagger import Tagger
from seqjax.types import ComputeDtype, Parameters
from seqjax.unroll.unroll import UnrollFn, unroll


def build_compute_dtype(config: ModelConfig) -> ComputeDtype:
    """Returns what a model that `config` names rounds the operands of its products to."""
    match config.compute:
        case "float32":
            return None
        case "bfloat16":
            return jnp.dtype(jnp.bfloat16)


def build_scorer(config: ModelConfig, query_size: int) -> Scorer | None:
    """Returns how queries and keys are compared; None for the fixed-vector bottleneck."""
    dtype = build_compute_dtype(config)
    match config.attention:
        case "none":
            return None
        case "dot":
            return DotScorer(compute_dtype=dtype)
        case "scaled_dot":
            return DotScorer(scaled=True, compute_dtype=dtype)
        case "general":
            return GeneralScorer(query_size, dtype)
        case "additive":
            return AdditiveScorer(config.hidden_size, dtype)


def build_cell(config: ModelConfig, depth: int, input_size: int, hidden_size: int) -> Cell:
    """Returns one recurrent layer's cell, of the kind that `config` names for its depth."""
    bias, dtype = config.forget_bias, build_compute_dtype(config)
    sizes = input_size, hidden_size
    match (config.upper_cell or config.cell) if depth else config.cell:
        case "lstm":
            cell = LSTMCell(
                *sizes,
                variant=VARIANTS[config.lstm_variant],
                output_size=config.projection_size,
                normalised=config.layer_norm,
                forget_bias=bias,
                longest=config.longest_memory,
                state_dropout=config.state_dropout,
                connection_dropout=config.connection_dropout,
                compute_dtype=dtype,
            )
        case "gru":
            cell = GRUCell(*sizes, compute_dtype=dtype)
        case "gru_reset_before":
            cell = GRUCell(*sizes, reset_after=False, compute_dtype=dtype)
        case "mgu":
            cell = MGUCell(*sizes, compute_dtype=dtype)
        case "rnn":
            cell = RNNCell(*sizes, compute_dtype=dtype)
        case "rnn_relu":
            cell = RNNCell(*sizes, activation="relu", compute_dtype=dtype)
        case "min_lstm":
            cell = MinLSTMCell(*sizes, forget_bias=bias, compute_dtype=dtype)
        case "min_gru":
            cell = MinGRUCell(*sizes, compute_dtype=dtype)
        case "slstm":
            cell = SLSTMCell(*sizes, forget_bias=bias, compute_dtype=dtype)
    return Zoneout(cell, config.zoneout, config.zoneout) if config.zoneout else cell


def build_unroll(config: ModelConfig) -> UnrollFn:
    """Returns `unroll` as `config` wants it."""
    return functools.partial(unroll, method=config.unroll, keep_every=config.keep_every)


def _embedding(vocab_size: int, config: ModelConfig) -> nn.Embed:
    start = nn.initializers.normal(config.embedding_std)
    return nn.Embed(vocab_size, config.embedding_size, embedding_init=start)


def build_stack(cell_fn: CellFn, config: ModelConfig, bottom_size: int) -> tuple[Cell, ...]:
    """Returns the cells of `config.decoder_layers`, of which the lowest reads `bottom_size`."""
    cells, size = [], bottom_size
    for depth in range(config.decoder_layers):
        cells.append(cell_fn(depth, size, config.hidden_size))
        size = cells[-1].width
    return tuple(cells)


def _encoder_layers(cell_fn: CellFn, config: ModelConfig) -> tuple[Layer | BidirectionalLayer, ...]:
    layers, size, unroll_fn = [], config.embedding_size, build_unroll(config)
    for depth in range(config.encoder_layers):
        if config.pyramid and depth:
            size *= 2
        if config.direction == "both":
            halves = [cell_fn(depth, size, config.hidden_size // 2) for _ in range(2)]
            layers.append(BidirectionalLayer(*halves, unroll_fn=unroll_fn))
            size = sum(half.width for half in halves)
        else:
            cell = cell_fn(depth, size, config.hidden_size)
            layers.append(Layer(cell, config.direction == "backward", unroll_fn))
            size = cell.width
    return tuple(layers)


def _encoder(vocab_size: int | None, cell_fn: CellFn, config: ModelConfig) -> Encoder:
    """Of tokens; of vectors where there is no vocabulary."""
    if vocab_size is None:
        embedding = Dense(config.embedding_size, compute_dtype=build_compute_dtype(config))
    else:
        embedding = _embedding(vocab_size, config)
    return Encoder(
        embedding=embedding,
        layers=_encoder_layers(cell_fn, config),
        dropout_rate=config.dropout,
        same_dropout=config.same_dropout,
        embedding_dropout_rate=config.embedding_dropout,
        time_mask=config.time_mask,
        feature_mask=config.feature_mask,
        residual=config.residual,
        pyramid=config.pyramid,
    )


def build_classifier(
    config: ModelConfig,
    *,
    vocab_size: int | None,
    num_classes: int,
    cell_fn: CellFn | None = None,
) -> Classifier:
    """Returns an encoder with one label for a sequence; `vocab_size` and `cell_fn` as in
    `build_seq2seq`."""
    dtype = build_compute_dtype(config)
    return Classifier(
        _encoder(vocab_size, cell_fn or functools.partial(build_cell, config), config),
        Pooling(config.pooling, dtype),
        num_classes,
        config.dropout,
        dtype,
    )


def build_tagger(
    config: ModelConfig,
    *,
    vocab_size: int | None,
    num_tags: int,
    cell_fn: CellFn | None = None,
) -> Tagger:
    """Returns an encoder with a tag for every step; `vocab_size` and `cell_fn` as in
    `build_seq2seq`."""
    return Tagger(
        _encoder(vocab_size, cell_fn or functools.partial(build_cell, config), config),
        num_tags,
        config.crf,
        config.dropout,
        config.same_dropout,
        build_compute_dtype(config),
    )


def build_seq2seq(
    config: ModelConfig,
    *,
    source_vocab_size: int | None,
    target_vocab_size: int,
    bos_id: int,
    unk_id: int | None = None,
    cell_fn: CellFn | None = None,
    scorer: Scorer | None = None,
    bridge: Any = None,
) -> Seq2Seq:
    """Returns an encoder-decoder of the sizes and kinds that `config` names.

    Args:
      config: What to build.
      source_vocab_size, target_vocab_size: Ids of either side; a source without is vectors.
      bos_id: What the decoder reads first.
      unk_id: What a decoder that copies reads for a token outside its vocabulary.
      cell_fn, scorer, bridge: In place of those that `config` names; see `CellFn`, `Scorer` and
        `Bridge` for what they must be able to do.

    Raises:
      ValueError: If it is to copy and there is no `unk_id`.
    """
    if config.copying and unk_id is None:
        raise ValueError("unk_id must be given when config.copying is on, got None")
    cell_fn = cell_fn or functools.partial(build_cell, config)
    readout_size = config.embedding_size if config.tied_embeddings else config.hidden_size
    fed = readout_size if config.input_feeding else 0
    cells, dtype = (
        build_stack(cell_fn, config, config.embedding_size + fed),
        build_compute_dtype(config),
    )
    return Seq2Seq(
        encoder=_encoder(source_vocab_size, cell_fn, config),
        decoder=Decoder(
            embedding=_embedding(target_vocab_size, config),
            cells=cells,
            bridge=bridge or Bridge(config.bridge, dtype),
            reader=Reader(
                scorer or build_scorer(config, cells[-1].width),
                readout_size,
                coverage=config.coverage,
                gate=config.context_gate,
                compute_dtype=dtype,
            ),
            tied=config.tied_embeddings,
            copier=Copier(unk_id, dtype) if config.copying and unk_id is not None else None,
            input_feeding=config.input_feeding,
            dropout_rate=config.dropout,
            same_dropout=config.same_dropout,
            embedding_dropout_rate=config.embedding_dropout,
            residual=config.residual,
            unroll_fn=build_unroll(config),
            compute_dtype=dtype,
        ),
        bos_id=bos_id,
    )


def build_language_model(
    config: ModelConfig, *, vocab_size: int, cell_fn: CellFn | None = None
) -> LanguageModel:
    """Returns a stacked recurrent language model; for `cell_fn` see `build_seq2seq`."""
    cell_fn = cell_fn or functools.partial(build_cell, config)
    return LanguageModel(
        embedding=_embedding(vocab_size, config),
        cells=build_stack(cell_fn, config, config.embedding_size),
        tied=config.tied_embeddings,
        dropout_rate=config.dropout,
        same_dropout=config.same_dropout,
        embedding_dropout_rate=config.embedding_dropout,
        residual=config.residual,
        unroll_fn=build_unroll(config),
        compute_dtype=build_compute_dtype(config),
    )


def count_params(params: Parameters) -> int:
    """Returns how many numbers the weights are made of."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def params_by_module(params: Parameters) -> dict[str, int]:
    """Returns how many numbers each module has, `encoder/layers_0`, in the order of the weights."""
    counts: dict[str, int] = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        name = "/".join(str(entry.key) for entry in path[:2])
        counts[name] = counts.get(name, 0) + leaf.size
    return counts
