"""What a person sees: speed and time left without compilation, one line at least every five s."""

import pytest

from seqjax.cli import screen as module
from seqjax.cli.screen import Screen
from seqjax.config import Config, OptimizerConfig, ValidationConfig
from seqjax.train.progress import Progress
from seqjax.train.step import StepMetrics
from seqjax.types import Mean


class Clock:
    """Time that passes when a test says so."""

    now = 100.0

    def monotonic(self):
        return self.now


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def shown(clock):
    screen = Screen()
    config = Config(
        run_dir="runs/x",
        optimizer=OptimizerConfig(clip_norm=1.0),
        validation=ValidationConfig(patience=5),
    )
    screen.begin(config)
    return screen


def metrics(norm=0.5):
    return StepMetrics(Mean(200.0, 100.0), {}, norm, 2e-3, 0)


def test_speed_and_time_left_do_without_compilation(shown, clock, capsys):
    with shown.training(Progress(), steps=100, minutes=None):
        with shown.compiling("training step"):
            clock.now += 30.0
        for step in range(1, 11):
            clock.now += 1.0
            seconds = 1.0 + 30.0 * (step == 1)
            shown.stepped(Progress(step=step, seconds=30.0 + step), metrics(), seconds)
    lines = capsys.readouterr().err.splitlines()
    assert "compile  training step  30.0 s" in lines
    # The first line comes at once, the window being open for 31 s; the next ones after 4 s each.
    trained = [line for line in lines if line.startswith("train ")]
    assert [line.split("step ")[1].split()[0] for line in trained] == ["1", "5", "9"]
    assert all("100 tok/s" in line and "loss 2.000" in line for line in trained)
    assert trained[-1].endswith("9%  ≤ 1:31 left")


def test_a_run_that_goes_on_is_judged_by_its_own_pace(shown, clock, capsys):
    with shown.training(Progress(step=50), steps=100, minutes=None):
        for step in range(51, 55):
            clock.now += 1.0
            shown.stepped(Progress(step=step, seconds=900.0), metrics(), 1.0)
    assert "54%  ≤ 0:46 left" in capsys.readouterr().err


def test_whichever_end_comes_first_is_shown(shown, clock, capsys):
    with shown.training(Progress(), steps=1_000, minutes=1.0):
        clock.now += 6.0
        shown.stepped(Progress(step=1, seconds=6.0), metrics(), 6.0)
    assert "10%  ≤ 0:54 left" in capsys.readouterr().err


def test_clipped_steps_are_counted_since_the_last_line(shown, clock, capsys):
    with shown.training(Progress(), steps=None, minutes=None):
        for step in range(8):
            clock.now += 1.0
            shown.stepped(Progress(step=step), metrics(norm=2.0 if step == 0 else 0.5), 1.0)
    trained = [line for line in capsys.readouterr().err.splitlines() if line.startswith("train ")]
    assert "clip 25%" in trained[0] and "clip 0%" in trained[1]


def test_a_validation_tells_scores_health_and_patience(shown, clock, capsys):
    row = {"epoch": 2, "step": 9, "loss": 0.5, "exact_match": 0.25}
    row |= {"ended": 0.996, "empty": 0.0, "repeated": 0.003, "length_ratio": 1.01}
    shown.validated(row, Progress(stalled=2, best_step=3), False)
    shown.validated({"epoch": 2, "step": 9, "loss": 0.5}, Progress(), True)
    lines = capsys.readouterr().err.splitlines()[-3:]
    assert lines == [
        "valid    epoch 2  step 9  loss 0.500  exact_match 25.0%  · stalled 2/5, best at step 3",
        "health   ended 99.6%  empty 0.0%  repeated 0.3%  length x1.01",
        "valid    epoch 2  step 9  loss 0.500  · new best",
    ]


def test_silence_is_broken(shown, clock, capsys):
    said = []
    with shown.working("reading"):
        for seconds in (4.0, 0.5, 4.0, 0.5):
            clock.now += seconds
            shown.break_silence()
            said.append("working  reading …" in capsys.readouterr().err)
    assert said == [False, True, False, True]
    clock.now += 9.0
    shown.break_silence()
    assert not capsys.readouterr().err  # who waits for the user says nothing
