"""After its first epoch a run compiles nothing more, whatever the lengths of what it reads."""

import contextlib

import jax
import pytest

from seqjax.config import Config, DataConfig, ModelConfig, ValidationConfig
from seqjax.runs import road
from seqjax.runs.trained import load

pytestmark = pytest.mark.standard_promotion


@contextlib.contextmanager
def compilations():
    """Yields a list that grows with whatever JAX lowers or compiles, found in a cache or not."""
    heard = []

    def listen(event, seconds, **more):
        if event.startswith("/jax/core/compile/") and "trace" not in event:
            heard.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        yield heard
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


class Counting(road.Silent):
    """Keeps how much had been compiled at each validation."""

    def __init__(self, heard):
        self.heard, self.counts = heard, []

    def validated(self, row, progress, is_best):
        self.counts.append(len(self.heard))


def test_nothing_is_compiled_after_the_first_epoch(tmp_path):
    """Counted by JAX itself, over training steps, validation batches and what is decoded."""
    config = Config(
        run_dir=str(tmp_path),
        epochs=3,
        data=DataConfig(embedded="copy", examples=90, max_length=12, batch_tokens=240, buckets=2),
        model=ModelConfig(embedding_size=8, hidden_size=8),
        validation=ValidationConfig(examples=4),
    )
    with compilations() as heard:
        spectator = Counting(heard)
        outcome = road.train(config, spectator)
    first, *others = spectator.counts
    assert first > 0 and len(others) == 2
    assert others == [first, first]
    shapes = outcome.data.statistics["shapes"]
    assert outcome.compilations == len(shapes) == len({rows for *_, rows in shapes}) == 2
    trained, valid = load(str(tmp_path)), outcome.data.valid
    batches = list(trained.task.batches(valid, trained.vocabularies, trained.statistics))
    assert outcome.likelihood is not None
    with compilations() as heard:  # nor is what it has come to measured by another program
        again = outcome.likelihood(trained.params, batches)
    assert not heard and again["loss"] == pytest.approx(outcome.progress.best, rel=1e-6)
