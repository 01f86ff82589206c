"""Settings of the network."""

from dataclasses import dataclass
from typing import Literal

from seqjax.config.require import require

AttentionKind = Literal["none", "dot", "scaled_dot", "general", "additive"]
CellKind = Literal[
    "lstm", "gru", "gru_reset_before", "mgu", "rnn", "rnn_relu", "min_lstm", "min_gru", "slstm"
]
LSTMKind = Literal[
    "standard",
    "peepholes",
    "no_input_gate",
    "no_forget_gate",
    "no_output_gate",
    "no_input_activation",
    "no_output_activation",
    "coupled",
    "gate_recurrence",
]

_LSTM_ONLY = {
    "lstm_variant": "standard",
    "projection_size": None,
    "layer_norm": False,
    "longest_memory": None,
    "state_dropout": 0.0,
    "connection_dropout": 0.0,
}
"""Settings of `ModelConfig` that other cells do not know, and what they must then be."""


@dataclass(frozen=True)
class ModelConfig:
    """Sizes and kind of the network."""

    embedding_size: int = 128
    """Width of a token's embedding."""
    source_vectors: str | None = None
    """File of vectors that the source embedding starts from, as GloVe or word2vec write them (text,
    may be .gz), embedding_size wide. Tokens that are not in it start at random, as far spread."""
    target_vectors: str | None = None
    """The same for the target embedding, or for that of a language model."""
    freeze_vectors: bool = False
    """Leave what was found in the files as it is, and learn all other rows."""
    hidden_size: int = 256
    """Width of a recurrent layer; an encoder of both directions gives half of it to each."""
    encoder_layers: int = 1
    """Stacked layers that read the source (text-to-text only)."""
    decoder_layers: int = 1
    """Stacked layers that write the target, or that make up the language model."""
    cell: CellKind = "lstm"
    """What a recurrent layer is made of. gru is the one of cuDNN and PyTorch, gru_reset_before that
    of the paper; mgu has one gate; rnn and rnn_relu have none; min_lstm and min_gru have gates that
    do not see the state and run in parallel over time; slstm has exponential gates."""
    upper_cell: CellKind | None = None
    """What the layers above the first are made of, in encoder and decoder; by default as the first.
    Settings for lstm only are then those of its layers."""
    lstm_variant: LSTMKind = "standard"
    """Which LSTM (lstm only). All but `standard` have peepholes, and the others each lack or change
    one part besides: the variants of Greff et al. (2017)."""
    projection_size: int | None = None
    """Width that an LSTM's output is projected to (lstm only); by default it is not."""
    layer_norm: bool = False
    """Normalise what an LSTM's gates add up and the cell that it reads out (lstm only)."""
    forget_bias: float = 1.0
    """Where the bias of the forget gate starts (lstm, min_lstm and slstm)."""
    longest_memory: int | None = None
    """Start the gates' biases so that memories last for 1 to this many steps (lstm only)."""
    direction: Literal["both", "forward", "backward"] = "both"
    """How the encoder reads the source; backward is the reversed source of Sutskever et al. (2014),
    with every output still at the token that it belongs to."""
    residual: bool = False
    """Add a layer's input to its output where both are equally wide."""
    pyramid: bool = False
    """Between layers of the encoder, join every two time steps into one."""
    attention: AttentionKind = "general"
    """How the decoder looks back at the source; `none` leaves it one fixed vector."""
    input_feeding: bool = False
    """Feed the last attentional vector into the next decoder step. Slower: every step must wait."""
    bridge: Literal["linear", "mean", "copy", "zeros"] = "linear"
    """How the decoder starts: by a learnt map of the encoder's last state, or of the mean of its
    outputs; with that state as it is; or from zeros."""
    tied_embeddings: bool = True
    """Use the target embedding as the output layer too."""
    dropout: float = 0.2
    """Share of activations dropped on embeddings, between layers and before the output."""
    state_dropout: float = 0.0
    """Share of an LSTM's hidden state that its gates do not see, the same units at all times."""
    connection_dropout: float = 0.0
    """Share of an LSTM's recurrent weights left out, the same ones at all times (DropConnect)."""
    zoneout: float = 0.0
    """Share of a layer's state that stays as it was, others at every step."""
    unroll: Literal["auto", "scan", "fused", "parallel"] = "auto"
    """How layers run along time. scan is nn.scan, the reference, for any cell; fused computes the
    weight gradients of a standard LSTM in one product after the backward pass; parallel is for
    min_lstm and min_gru; auto takes the last two where they apply."""
    keep_every: int | None = None
    """Keep a layer's state for the gradient only every this many steps, and compute again what lies
    between: long sequences in less memory, for one more forward pass. Not with unroll scan."""

    def __post_init__(self):
        for name in ("embedding_size", "hidden_size", "encoder_layers", "decoder_layers"):
            require(getattr(self, name) >= 1, f"model.{name}", "at least 1", getattr(self, name))
        require(
            not self.freeze_vectors or bool(self.source_vectors or self.target_vectors),
            "model.freeze_vectors",
            "False when neither model.source_vectors nor model.target_vectors is given",
            self.freeze_vectors,
        )
        for name in ("dropout", "state_dropout", "connection_dropout", "zoneout"):
            require(0 <= getattr(self, name) < 1, f"model.{name}", "in [0, 1)", getattr(self, name))
        require(
            self.direction != "both" or self.hidden_size % 2 == 0,
            "model.hidden_size",
            "even when model.direction is both",
            self.hidden_size,
        )
        require(
            self.upper_cell is None or self.encoder_layers > 1 or self.decoder_layers > 1,
            "model.upper_cell",
            "None when no layer stands on another (model.encoder_layers, model.decoder_layers)",
            self.upper_cell,
        )
        mixed = self.upper_cell not in (None, self.cell)
        kinds = {self.cell, self.upper_cell or self.cell}
        named = f"model.cell is {self.cell}"
        named += f" and model.upper_cell is {self.upper_cell}" if mixed else ""
        for name in _LSTM_ONLY:
            require(
                "lstm" in kinds or getattr(self, name) == _LSTM_ONLY[name],
                f"model.{name}",
                f"{_LSTM_ONLY[name]} when {named}",
                getattr(self, name),
            )
        smallest = self.hidden_size // 2 if self.direction == "both" else self.hidden_size
        require(
            self.projection_size is None or 1 <= self.projection_size < smallest,
            "model.projection_size",
            f"at least 1 and below the width of an LSTM ({smallest})",
            self.projection_size,
        )
        if self.projection_size is not None and (mixed or self.direction == "both"):
            # An encoder of both directions is twice as wide as a decoder that is projected too, and
            # of different cells not all are projected.
            why = "when model.projection_size is given and "
            why += "model.upper_cell is another" if mixed else "model.direction is both"
            narrow = self.attention not in ("dot", "scaled_dot")
            require(narrow, "model.attention", f"neither dot nor scaled_dot {why}", self.attention)
            require(self.bridge != "copy", "model.bridge", f"another {why}", self.bridge)
        require(
            not mixed or self.bridge != "copy" or self.encoder_layers > 1,
            "model.bridge",
            "another when model.upper_cell is another and the encoder has one layer",
            self.bridge,
        )
        own_ways = {"parallel" if kind in ("min_lstm", "min_gru") else "fused" for kind in kinds}
        ways = (
            ("auto", "scan") if self.zoneout or len(own_ways) > 1 else ("auto", "scan", *own_ways)
        )
        noise = " and model.zoneout is on" if self.zoneout else ""
        require(
            self.unroll in ways,
            "model.unroll",
            f"one of {', '.join(ways)} when {named}{noise}",
            self.unroll,
        )
        require(
            self.keep_every is None or self.keep_every >= 1,
            "model.keep_every",
            "at least 1",
            self.keep_every,
        )
        require(
            self.keep_every is None or not (self.unroll == "scan" or self.zoneout),
            "model.keep_every",
            "None when model.unroll is scan or model.zoneout is on",
            self.keep_every,
        )
        require(
            self.longest_memory is None or self.longest_memory >= 3,
            "model.longest_memory",
            "at least 3",
            self.longest_memory,
        )
