"""Runs of random weights, written to disk without any training."""

import functools
import json

import jax
import numpy as np

from seqjax.config import Config, DataConfig, ModelConfig
from seqjax.data.vocabulary import Vocabulary
from seqjax.rundir import create_run, save_weights
from seqjax.tasks.choose import build_task
from seqjax.tasks.task import sizes_of
from seqjax.train.paths import flat
from seqjax.types import Batch, Padded

DATA = DataConfig(embedded="copy")
ROWS = Padded(np.zeros((1, 1), np.int32), np.ones(1, np.int32))
LANGUAGE = {"task": "language-model", "data": DataConfig(embedded="docs", batch_size=1)}


def config_of(tied=True, hidden_size=6, **settings):
    model = ModelConfig(embedding_size=4, hidden_size=hidden_size, tied_embeddings=tied)
    return Config(**({"data": DATA, "steps": 1, "model": model} | settings))


def words(**texts):
    return {side: Vocabulary("chars", text) for side, text in texts.items()}


@functools.cache
def weights(config, sizes, seed):
    """Random ones, biases too."""
    vocabularies = words(**dict(sizes))
    learner = build_task(config).learner(sizes_of(vocabularies))
    example = Batch(ROWS, ROWS)
    shapes = jax.eval_shape(learner.init, example, jax.random.key(0))
    generator = np.random.default_rng(seed)
    draw = lambda leaf: generator.normal(size=leaf.shape).astype(np.float32)
    return learner, jax.tree.map(draw, shapes)


def run_of(path, config, seed=1, **texts):
    """A run directory with random weights, which are returned by their paths."""
    _, params = weights(config, tuple(texts.items()), seed)
    run = create_run(path)
    run.write_config(config)
    run.vocabulary.mkdir()
    for side, vocabulary in words(**texts).items():
        vocabulary.save(run.vocabulary, side)
    statistics = {"fingerprint": "", "shapes": [[9, 9, 9]], "longest_target": 9}
    run.data.write_text(json.dumps(statistics | {"task": config.task}))
    save_weights(run.best_weights, params, {})
    return flat(params)
