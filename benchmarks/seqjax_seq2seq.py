"""The seq2seq of `benchmarks/seq2seq.py`, ours: built as `seqjax train` builds it."""

from typing import Literal

import jax
import numpy as np

from benchmarks.seq2seq import BOS_ID, CLIP_NORM, LAYERS, LEARNING_RATE, Size
from benchmarks.timing import Way
from seqjax.build.learner import Learner, build_seq2seq_learner
from seqjax.build.model import build_seq2seq
from seqjax.build.training import Training, build_training
from seqjax.config import ModelConfig, ObjectiveConfig, OptimizerConfig
from seqjax.train.step import TrainState
from seqjax.types import Batch, Padded

OPTIMIZER = OptimizerConfig(
    learning_rate=LEARNING_RATE, clip_norm=CLIP_NORM, schedule="constant", warmup_steps=0
)


def build(size: Size, input_feeding: bool, unroll: Literal["auto", "scan"] = "auto") -> Learner:
    """Returns the model and its loss."""
    config = ModelConfig(
        embedding_size=size.width,
        hidden_size=size.width,
        encoder_layers=LAYERS,
        decoder_layers=LAYERS,
        attention="general",
        input_feeding=input_feeding,
        bridge="copy",
        tied_embeddings=False,
        dropout=0.0,
        unroll=unroll,
    )
    model = build_seq2seq(
        config,
        source_vocab_size=size.vocabulary,
        target_vocab_size=size.vocabulary,
        bos_id=BOS_ID,
    )
    return build_seq2seq_learner(model, ObjectiveConfig())


def batch_of(size: Size) -> Batch:
    """Returns random sentences, all of full length."""
    return Batch(*(Padded(ids, np.full(size.rows, ids.shape[1], np.int32)) for ids in size.draw()))


def start(learner: Learner, size: Size) -> tuple[TrainState, Training]:
    """Returns the state before the first update, and the update."""
    training = build_training(OPTIMIZER, learner, total_steps=None)
    init_fn = jax.jit(training.init_fn, donate_argnums=0)
    return init_fn(jax.jit(learner.init)(batch_of(size), jax.random.key(0))), training


def training_step(size: Size, input_feeding: bool, unroll: Literal["auto", "scan"] = "auto") -> Way:
    """Returns one update of a model that is kept, compiled."""
    state, training = start(build(size, input_feeding, unroll), size)
    step, batch, key = (
        jax.jit(training.step_fn, donate_argnums=0),
        batch_of(size),
        jax.random.key(1),
    )

    def update():
        nonlocal state
        state, metrics = step(state, batch, key)
        return jax.block_until_ready(metrics)

    return update
