"""What a run would take is said without one; a profile is of the steps that were asked for."""

import jax
import pytest
from cli.commands import one_line_error

from seqjax.config import Config, DataConfig, ModelConfig, ValidationConfig
from seqjax.errors import InputError
from seqjax.runs import road
from seqjax.runs.profile import Profiled, refuse_unreachable
from seqjax.runs.rehearse import lines_of, rehearse

pytestmark = pytest.mark.standard_promotion


class Listener(road.Silent):
    def __init__(self):
        self.heard = []

    def note(self, text):
        self.heard.append(text)


def test_a_rehearsal_tells_what_a_run_takes_and_writes_nothing(tmp_path):
    config = Config(
        run_dir=str(tmp_path / "run"),
        epochs=2,
        data=DataConfig(embedded="copy", examples=70, max_length=5, batch_size=16, buckets=1),
        model=ModelConfig(embedding_size=8, hidden_size=8),
        validation=ValidationConfig(patience=3),
    )
    listener = Listener()
    found = rehearse(config, listener)
    assert not list(tmp_path.iterdir())
    ((name, cost),) = found.shapes.items()
    assert name == "16 x 5 -> 6" and cost.share == 1.0
    assert (found.epoch_steps, found.steps) == (5, 10)
    weights = 4 * sum(found.parameters.values())
    # Weights and Adam's two moments, and a few counters.
    assert 3 * weights < found.checkpoint < 3 * weights + 200
    assert found.memory > found.checkpoint and cost.seconds > 0
    lines = lines_of(found, config)
    assert "10 steps, " in lines[-2] and "or 3 validations without a new best" in lines[-2]
    assert lines[-1] == "dry run  nothing was written" and listener.heard[-len(lines) :] == lines


@pytest.fixture
def recorded(monkeypatch):
    """What JAX's profiler is told, in place of a profile, which takes seconds."""
    heard = []
    monkeypatch.setattr(jax.profiler, "start_trace", lambda path: heard.append("start"))
    monkeypatch.setattr(jax.profiler, "stop_trace", lambda: heard.append("stop"))
    return heard


def step_fn(heard):
    def step(state, batch, key):
        heard.append(state + 1)
        return state + 1, ()

    return step


def test_a_profile_is_of_the_steps_that_were_asked_for(recorded, tmp_path):
    said = []
    step = Profiled(step_fn(recorded), (6, 7), 4, tmp_path, said.append)
    state = 4
    for _ in range(4):
        state, _ = step(state, None, None)
    step.close()
    assert recorded == [5, "start", 6, 7, "stop", 8]
    assert len(said) == 1 and said[0].startswith(
        f"profile  steps 6 to 7 in {tmp_path}; tensorboard"
    )


def test_a_run_that_ends_early_ends_its_profile(recorded, tmp_path):
    said = []
    step = Profiled(step_fn(recorded), (1, 9), 0, tmp_path, said.append)
    step(0, None, None)
    step.close()
    assert recorded == ["start", 1, "stop"] and said[0].startswith("profile  steps 1 to 1 in ")
    late = Profiled(step_fn(recorded), (5, 9), 0, tmp_path, said.append)
    late.close()
    assert said[1] == "profile  nothing was recorded: the run ended at step 0"


def test_steps_that_never_come_are_refused():
    refuse_unreachable((10, 20), 20, 9)
    refuse_unreachable((10, 20), None, 0)
    with pytest.raises(InputError, match="10:20: the run has 19 steps"):
        refuse_unreachable((10, 20), 19, 0)
    with pytest.raises(InputError, match="10:20: the run goes on from step 10"):
        refuse_unreachable((10, 20), None, 10)


@pytest.mark.parametrize(
    "steps, why",
    [("9:8", "must not end before it begins"), ("9", "like 10:20"), ("1:101", "at most 100")],
)
def test_ranges_that_are_none_are_refused_in_one_line(capsys, steps, why):
    line = one_line_error(capsys, "train", "--preset", "dates", "--profile-steps", steps)
    assert "--profile-steps" in line and why in line
