import numpy as np
import pytest
from train import toys

from seqjax.errors import InputError
from seqjax.train.checkpoint import Checkpoints

pytestmark = pytest.mark.standard_promotion


def saved(path, steps=(1, 2, 3)):
    checkpoints, state = Checkpoints(path), toys.new_state()
    for step in range(1, max(steps) + 1):
        state, _ = toys.step_fn()(state, toys.make_batch(step), toys.KEY)
        if step in steps:
            checkpoints.save(state, {"step": step})
    return checkpoints, state


def test_what_is_saved_is_what_is_restored(tmp_path):
    checkpoints, state = saved(tmp_path)
    found = checkpoints.restore(toys.new_state(), pytest.fail)
    assert found is not None and found[1] == {"step": 3}
    for one, other in zip(toys.leaves(found[0]), toys.leaves(state), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def test_only_the_newest_are_kept_and_steps_are_numbers(tmp_path):
    checkpoints, _ = saved(tmp_path, steps=(2, 9, 10))
    assert checkpoints.steps() == [9, 10]


def test_nothing_saved_is_nothing_restored(tmp_path):
    assert Checkpoints(tmp_path).restore(toys.new_state(), pytest.fail) is None


def test_a_damaged_step_is_passed_over_aloud(tmp_path):
    checkpoints, _ = saved(tmp_path)
    checkpoints.close()
    for path in (tmp_path / "3").rglob("*"):
        if path.is_file():
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    warnings = []
    found = Checkpoints(tmp_path).restore(toys.new_state(), warnings.append)
    assert found is not None and int(found[0].step) == 2
    assert len(warnings) == 1 and "step 3 cannot be read" in warnings[0]


def test_if_all_steps_are_damaged_the_run_is_not_silently_begun_anew(tmp_path):
    checkpoints, _ = saved(tmp_path)
    checkpoints.close()
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    with pytest.raises(InputError, match="none of the steps .* can be read; use --overwrite"):
        Checkpoints(tmp_path).restore(toys.new_state(), lambda text: None)
