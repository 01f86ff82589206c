"""Runs of steps and features that are hidden while learning."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.build.model import build_classifier
from seqjax.config import Config, ModelConfig
from seqjax.models.hiding import RUNS, draw_run
from seqjax.types import Padded

KEYS = jax.random.split(jax.random.key(0), 4_000)


def test_every_run_of_every_width_is_drawn_alike():
    draw = lambda key: draw_run(key, jnp.array([2, 0]), jnp.array([4, 4]), 6)
    drawn = np.asarray(jax.vmap(draw)(KEYS))
    runs, counts = np.unique(drawn[:, 0].astype(int), axis=0, return_counts=True)
    found = {
        tuple(run): count / len(KEYS) for run, count in zip(runs.tolist(), counts, strict=True)
    }
    wanted = {(0,) * 6: 1 / 3}
    for width, starts in ((1, 4), (2, 3)):
        for start in range(starts):
            run = tuple(int(start <= place < start + width) for place in range(6))
            wanted[run] = 1 / 3 / starts
    assert found.keys() == wanted.keys()
    for run, share in wanted.items():
        assert found[run] == pytest.approx(share, abs=0.03)
    assert not drawn[:, 1].any()


def encoder_and_source(**settings):
    """An encoder whose `embedded` values are those that it was given, and two rows of ones."""
    model = build_classifier(
        ModelConfig(embedding_size=5, hidden_size=4, dropout=0.0, **settings),
        vocab_size=None,
        num_classes=2,
    )
    source = Padded(jnp.ones((2, 20, 5)), jnp.array([20, 10]))
    params = model.init(jax.random.key(0), source)
    dense = params["params"]["encoder"]["embedding"]
    dense["kernel"], dense["bias"] = jnp.eye(5), jnp.zeros(5)
    return model.bind(params, rngs={"dropout": jax.random.key(3)}), model.bind(params), source


def hidden(learning, source, seed):
    """What an encoder hides of a source of ones."""
    bound = learning.clone(parent=None).bind(
        learning.variables, rngs={"dropout": jax.random.key(seed)}
    )
    return np.asarray(bound.encoder._embed(source)) == 0


def test_no_more_than_a_fifth_of_the_steps_and_as_many_features_as_said_are_hidden():
    learning, used, source = encoder_and_source(time_mask=3, feature_mask=2)
    assert np.all(np.asarray(used.encoder._embed(source)) == 1)
    most_steps, most_features = np.zeros(2, int), np.zeros(2, int)
    for seed in range(60):
        gone = hidden(learning, source, seed)
        steps, features = gone.all(axis=2), gone.all(axis=1)
        np.testing.assert_array_equal(gone, steps[:, :, None] | features[:, None, :])
        assert not steps[1, 10:].any()
        most_steps = np.maximum(most_steps, steps.sum(axis=1))
        most_features = np.maximum(most_features, features.sum(axis=1))
    # A row of 20 may lose 3 steps a run, as it was said; one of 10 a fifth, which is 2.
    assert most_steps.tolist() == [RUNS * 3, RUNS * 2]
    assert most_features.tolist() == [RUNS * 2] * 2


def test_padding_does_not_move_what_is_hidden():
    learning, _, source = encoder_and_source(time_mask=5, feature_mask=2)
    wider = Padded(jnp.pad(source.values, ((0, 0), (0, 7), (0, 0)), constant_values=1), source[1])
    for seed in range(5):
        np.testing.assert_array_equal(
            hidden(learning, source, seed), hidden(learning, wider, seed)[:, :20]
        )


def test_there_is_nothing_to_hide_in_a_text():
    for name in ("time_mask", "feature_mask"):
        model = ModelConfig(**{name: 3})
        Config(task="transcribe", model=model)
        with pytest.raises(ValueError, match=f"model.{name} must be left at 0 for classify"):
            Config(task="classify", model=model)
        with pytest.raises(ValueError, match=f"model.{name} must be at least 0, got -1"):
            ModelConfig(**{name: -1})
