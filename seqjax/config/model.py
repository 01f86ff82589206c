"""Settings of the network."""

from dataclasses import dataclass
from typing import Literal, get_args

from seqjax.config.require import require

ModelKind = Literal[
    "network", "ngram", "lexicon", "rules", "bag_of_words", "majority", "usual", "copy", "markov"
]
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

PoolingKind = Literal["last", "mean", "max", "attention"]
TagScheme = Literal["any", "bio", "bioes", "iob"]

UnrollWay = Literal["auto", "scan", "fused", "parallel", "cudnn"]
UNROLL_WAYS = get_args(UnrollWay)

_LSTM_ONLY = {
    "lstm_variant": "standard",
    "projection_size": None,
    "layer_norm": False,
    "longest_memory": None,
    "state_dropout": 0.0,
    "connection_dropout": 0.0,
}
"""Settings of `ModelConfig` that other cells do not know, and what they must then be."""

_NOT_IN_CUDNN = _LSTM_ONLY.keys() - {"longest_memory"}
"""Those that cuDNN does not know either."""

_SHARES = ("dropout", "embedding_dropout", "state_dropout", "connection_dropout", "zoneout")


@dataclass(frozen=True)
class ModelConfig:
    """Sizes and kind of the model."""

    kind: ModelKind = "network"
    """What learns. All but network are baselines, which are fitted and not trained, and which
    settings of networks and of training mean nothing to. ngram: Kneser-Ney (language-model).
    lexicon: word for word by IBM Model 1; rules: of the built-in dates, numbers and inflection;
    usual: the most frequent target of a source; copy: the source itself (text-to-text).
    bag_of_words: logistic regression; majority: the most frequent label (classify). usual: how
    often each key sounds; markov: how often after the last chord (music). usual: the mean
    (regress), or the most frequent tag of a token (tag)."""
    ngram_order: int = 5
    """Tokens of the longest n-grams (ngram, and the language model of lexicon)."""
    embedding_size: int = 128
    """Width of a token's embedding, or of the dense layer over vectors and keys."""
    embedding_std: float = 0.1
    """Standard deviation that embeddings start with. From 1, attention finds single tokens of small
    vocabularies far sooner; rare words of large ones are noise then."""
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
    """Stacked layers that read the source (not of a model of language or music)."""
    decoder_layers: int = 1
    """Stacked layers that write the target, or that make up a model of language or music."""
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
    coverage: bool = False
    """Show attention how much it has looked at each source position before. Slower in training."""
    copying: bool = False
    """Let the decoder copy source tokens, also those that its vocabulary does not know (a
    pointer-generator). Both sides must be cut into the same kind of tokens."""
    context_gate: Literal["none", "source", "target", "both"] = "none"
    """Weigh by a gate what the readout takes from the source, from the target side, or both."""
    input_feeding: bool = False
    """Feed the last attentional vector into the next decoder step. Slower: every step must wait."""
    bridge: Literal["linear", "mean", "copy", "zeros"] = "linear"
    """How the decoder starts: by a learnt map of the encoder's last state, or of the mean of its
    outputs; with that state as it is; or from zeros."""
    pooling: PoolingKind = "max"
    """What is left of a text that is classified: the last state, the mean or the highest of the
    outputs unit by unit, or their mean weighted by attention (classify and regress only)."""
    crf: bool = False
    """Learn how tags follow each other: a conditional random field (tag, and model.decoder aligned,
    only). Its cost grows with the square of how many there are."""
    tag_scheme: TagScheme = "any"
    """Which tags may follow each other in an answer. bio: a span begins with B- and goes on with
    I-. bioes: it ends with E-, or is S-. iob: it begins with I-, or B- after one of its kind. any:
    every tag may follow every other (tag only)."""
    decoder: Literal["attention", "ctc", "aligned"] = "attention"
    """How a target is written: by a decoder that looks back at the source, or at each step of the
    encoder. ctc: a token or a blank (connectionist temporal classification; transcribe and describe
    only). aligned: what this source token stands for, as training pairs were aligned once, before
    training (text-to-text only)."""
    tied_embeddings: bool = True
    """Use the target embedding as the output layer too."""
    dropout: float = 0.2
    """Share of activations dropped on embeddings, between layers and before the output."""
    same_dropout: bool = False
    """Drop the same units at all times of a sequence rather than others at each (variational)."""
    embedding_dropout: float = 0.0
    """Share of words whose embedding is read as zeros wherever they stand in a batch, in source and
    target."""
    time_mask: int = 0
    """Widest run of steps of a source of vectors that is hidden while learning: two such runs in
    each row, drawn anew each time, none more than a fifth of the row (SpecAugment)."""
    feature_mask: int = 0
    """Widest run of features (bands of a recording) that is hidden likewise."""
    state_dropout: float = 0.0
    """Share of an LSTM's hidden state that its gates do not see, the same units at all times."""
    connection_dropout: float = 0.0
    """Share of an LSTM's recurrent weights left out, the same ones at all times (DropConnect)."""
    zoneout: float = 0.0
    """Share of a layer's state that stays as it was, others at every step."""
    unroll: UnrollWay = "auto"
    """How layers run along time. scan is nn.scan, the reference, for any cell; fused computes the
    gradient of the recurrent weights in one product after the backward pass; parallel is for
    min_lstm and min_gru; auto takes these two where they apply. cudnn trains a standard lstm on a
    GPU, in full float32."""
    compute: Literal["float32", "bfloat16"] = "float32"
    """What matrix products are computed in while training. bfloat16 rounds their operands; sums,
    states, weights, losses and all else stay float32, and so does everything after training. It is
    for a GPU: on a CPU it is emulated, and slow. Not with unroll cudnn."""
    keep_every: int | None = None
    """Keep a layer's state for the gradient only every this many steps, and compute again what lies
    between: long sequences in less memory, for one more forward pass. Not with unroll scan or
    cudnn."""

    def __post_init__(self):
        for name in ("embedding_size", "hidden_size", "encoder_layers", "decoder_layers"):
            self._require(getattr(self, name) >= 1, name, "at least 1")
        self._require(self.embedding_std > 0, "embedding_std", "above 0")
        for name in ("time_mask", "feature_mask"):
            self._require(getattr(self, name) >= 0, name, "at least 0")
        for name in _SHARES:
            self._require(0 <= getattr(self, name) < 1, name, "in [0, 1)")
        self._require(1 <= self.ngram_order <= 16, "ngram_order", "in [1, 16]")
        self._require(
            self.ngram_order == 5 or self.kind in ("ngram", "lexicon"),
            "ngram_order",
            f"5 when model.kind is {self.kind}",
        )
        self._require(
            not self.freeze_vectors or bool(self.source_vectors or self.target_vectors),
            "freeze_vectors",
            "False when neither model.source_vectors nor model.target_vectors is given",
        )
        self._require(
            self.direction != "both" or self.hidden_size % 2 == 0,
            "hidden_size",
            "even when model.direction is both",
        )
        self._check_cells()
        self._check_projection()
        self._check_attention()
        self._check_unroll()

    def _require(self, holds: bool, name: str, constraint: str) -> None:
        require(holds, f"model.{name}", constraint, getattr(self, name))

    @property
    def _kinds(self) -> set[str]:
        """What the layers are made of."""
        return {self.cell, self.upper_cell or self.cell}

    @property
    def _kinds_named(self) -> str:
        mixed = len(self._kinds) > 1
        return f"model.cell is {self.cell}" + (
            f" and model.upper_cell is {self.upper_cell}" if mixed else ""
        )

    def _check_cells(self) -> None:
        self._require(
            self.upper_cell is None or self.encoder_layers > 1 or self.decoder_layers > 1,
            "upper_cell",
            "None when no layer stands on another (model.encoder_layers, model.decoder_layers)",
        )
        for name, value in _LSTM_ONLY.items():
            self._require(
                "lstm" in self._kinds or getattr(self, name) == value,
                name,
                f"{value} when {self._kinds_named}",
            )
        self._require(
            self.longest_memory is None or self.longest_memory >= 3, "longest_memory", "at least 3"
        )
        self._require(
            len(self._kinds) == 1 or self.bridge != "copy" or self.encoder_layers > 1,
            "bridge",
            "another when model.upper_cell is another and the encoder has one layer",
        )

    def _check_projection(self) -> None:
        smallest = self.hidden_size // 2 if self.direction == "both" else self.hidden_size
        self._require(
            self.projection_size is None or 1 <= self.projection_size < smallest,
            "projection_size",
            f"at least 1 and below the width of an LSTM ({smallest})",
        )
        mixed = len(self._kinds) > 1
        if self.projection_size is not None and (mixed or self.direction == "both"):
            # An encoder of both directions is twice as wide as a decoder that is projected too, and
            # of different cells not all are projected.
            why = "when model.projection_size is given and "
            why += "model.upper_cell is another" if mixed else "model.direction is both"
            narrow = self.attention not in ("dot", "scaled_dot")
            self._require(narrow, "attention", f"neither dot nor scaled_dot {why}")
            self._require(self.bridge != "copy", "bridge", f"another {why}")

    def _check_attention(self) -> None:
        if self.attention == "none":
            for name, value in (("coverage", False), ("copying", False), ("context_gate", "none")):
                self._require(
                    getattr(self, name) == value, name, f"{value} when model.attention is none"
                )
        self._require(
            not (self.pyramid and self.copying),
            "copying",
            "False when model.pyramid is on (its positions are no tokens)",
        )

    def _check_unroll(self) -> None:
        ways = {"auto", "scan"}
        if not self.zoneout:
            linear = {"min_lstm", "min_gru"}
            ways |= {"parallel"} if self._kinds <= linear else set()
            ways |= {"fused"} if not self._kinds & linear else set()
            ways |= {"cudnn"} if self._kinds == {"lstm"} else set()
        noise = " and model.zoneout is on" if self.zoneout else ""
        self._require(
            self.unroll in ways,
            "unroll",
            f"one of {', '.join(way for way in UNROLL_WAYS if way in ways)} when "
            f"{self._kinds_named}{noise}",
        )
        for name in sorted(_NOT_IN_CUDNN):
            self._require(
                self.unroll != "cudnn" or getattr(self, name) == _LSTM_ONLY[name],
                name,
                f"{_LSTM_ONLY[name]} when model.unroll is cudnn",
            )
        self._require(
            self.unroll != "cudnn" or self.compute == "float32",
            "compute",
            "float32 when model.unroll is cudnn",
        )
        self._require(self.keep_every is None or self.keep_every >= 1, "keep_every", "at least 1")
        self._require(
            self.keep_every is None or not (self.unroll in ("scan", "cudnn") or self.zoneout),
            "keep_every",
            "None when model.unroll is scan or cudnn, or model.zoneout is on",
        )
