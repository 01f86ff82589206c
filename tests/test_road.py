"""The straight road: a run that was left is gone on with, bit for bit."""

import jax
import numpy as np
import pytest

from seqjax import road
from seqjax.config import Config, DataConfig, ModelConfig, OptimizerConfig, ValidationConfig
from seqjax.rundir import load_weights

pytestmark = pytest.mark.standard_promotion


def settings(run_dir, steps):
    """Five batches an epoch, dropout, a moving average; validated and saved in between."""
    return Config(
        run_dir=str(run_dir),
        steps=steps,
        save_every=5,
        data=DataConfig(embedded="copy", examples=70, max_length=5, batch_size=16, buckets=1),
        model=ModelConfig(embedding_size=8, hidden_size=8, dropout=0.5),
        optimizer=OptimizerConfig(warmup_steps=2, average_decay=0.9),
        validation=ValidationConfig(every=6, examples=4),
    )


def everything(outcome):
    """All that a run keeps, as plain values."""
    found = road.Checkpoints(outcome.run.checkpoints)
    steps = found.steps()
    found.close()
    history = [
        {name: value for name, value in row.items() if name != "seconds"}
        for row in outcome.run.read_metrics()
    ]
    weights, _ = load_weights(outcome.run.best_weights)
    return steps[-1], history, jax.tree.leaves(weights), jax.tree.leaves(outcome.state)


@pytest.mark.parametrize("cut", (7, 12))
def test_a_run_in_two_parts_is_the_run_in_one(tmp_path, cut):
    whole = everything(road.train(settings(tmp_path / "one", 23)))
    road.train(settings(tmp_path / "two", cut))
    parts = everything(road.train(settings(tmp_path / "two", 23)))
    assert whole[0] == parts[0] == 23
    for one, other in zip(whole[2] + whole[3], parts[2] + parts[3], strict=True):
        np.testing.assert_array_equal(one, other)
    losses = [(row["event"], row["step"], row["loss"]) for row in whole[1]]
    assert [(row["event"], row["step"], row["loss"]) for row in parts[1] if row["step"] != cut] == [
        row for row in losses if row[1] != cut
    ]
