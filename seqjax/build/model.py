"""From configuration to networks."""

import flax.linen as nn
import jax

from seqjax.attention import AdditiveScorer, DotScorer, GeneralScorer
from seqjax.cells.lstm import LSTMCell
from seqjax.config import ModelConfig
from seqjax.models.decoder import Bridge, Decoder, Scorer
from seqjax.models.encoder import Encoder
from seqjax.models.language_model import LanguageModel
from seqjax.models.layers import BidirectionalLayer, ForwardLayer
from seqjax.models.seq2seq import Seq2Seq
from seqjax.types import Parameters


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


def count_params(params: Parameters) -> int:
    """Returns how many numbers the weights are made of."""
    return sum(leaf.size for leaf in jax.tree.leaves(params))
