"""What is saved is what is restored; what was damaged is passed over aloud, and never believed."""

import json
import shutil

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from train import toys

from seqjax.errors import InputError
from seqjax.rundir.steps import SEAL, Steps
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.parts import Piece, joined, parts_of

pytestmark = pytest.mark.standard_promotion


def saved(path, steps=(1, 2, 3)):
    checkpoints, state = Checkpoints(path), toys.new_state()
    for step in range(1, max(steps) + 1):
        state, _ = toys.step_fn()(state, toys.make_batch(step), toys.KEY)
        if step in steps:
            checkpoints.save(state, {"step": step})
    return checkpoints, state


def refuse(text):
    raise AssertionError(text)


def test_what_is_saved_is_what_is_restored(tmp_path):
    checkpoints, state = saved(tmp_path)
    found = checkpoints.restore(toys.new_state(), refuse)
    assert found is not None and found[1] == {"step": 3}
    for one, other in zip(toys.leaves(found[0]), toys.leaves(state), strict=True):
        np.testing.assert_array_equal(one, other)
        assert one.dtype == other.dtype


def odd_state():
    """A state that looks like no other, with all that a checkpoint needs to keep."""
    return toys.new_state()._replace(
        memory={
            "bfloat16": jnp.arange(3, dtype=jnp.bfloat16) / 3,
            "key": jax.random.key(3),
            "keys": jax.random.split(jax.random.key(4, impl="rbg"), 2),
            "nothing": ((), [], {}),
            "none": jnp.zeros((2, 0), jnp.int8),
            "tuple": (jnp.float32(1), jnp.float32(2)),
            "list": [jnp.uint8(1), jnp.array([True, False])],
            "large": np.int64(2**40 + 1),
            "larger": 2**62 + 1,
            "number": 0.1,
            "host": np.arange(4, dtype=np.float64),
        },
    )


def test_dtypes_keys_structure_and_large_numbers_survive(tmp_path):
    state, checkpoints = odd_state(), Checkpoints(tmp_path)
    checkpoints.save(state, {"large": 2**53 + 1, "nothing": None})
    blank = jax.tree.map(_blank, state)
    found = checkpoints.restore(blank, refuse)
    assert found is not None and found[1] == {"large": 2**53 + 1, "nothing": None}
    assert jax.tree.structure(found[0]) == jax.tree.structure(state)
    for one, other in zip(jax.tree.leaves(found[0]), jax.tree.leaves(state), strict=True):
        assert type(one) is type(other)
        assert getattr(one, "dtype", None) == getattr(other, "dtype", None)
        same = (jax.random.key_data(leaf) if _is_key(leaf) else leaf for leaf in (one, other))
        np.testing.assert_array_equal(*same)


def _blank(leaf):
    if _is_key(leaf):
        return leaf
    return jnp.zeros_like(leaf) if isinstance(leaf, jax.Array) else leaf * 0


def _is_key(leaf):
    return isinstance(leaf, jax.Array) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def test_only_the_newest_are_kept_and_steps_are_numbers(tmp_path):
    checkpoints, _ = saved(tmp_path, steps=(2, 9, 10))
    assert checkpoints.steps() == [9, 10]


def test_a_step_that_is_there_stays_as_it_is(tmp_path):
    checkpoints, state = saved(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    checkpoints.save(state, {"step": 99})
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


def test_nothing_saved_is_nothing_restored(tmp_path):
    assert Checkpoints(tmp_path / "none").restore(toys.new_state(), refuse) is None
    assert not (tmp_path / "none").exists()


def truncated(part):
    def damage(path):
        path.write_bytes(path.read_bytes()[: int(path.stat().st_size * part)])

    return damage


def flipped(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def replaced(path):
    path.unlink()
    path.mkdir()


def linked(path):
    path.rename(path.parent.parent / "elsewhere")
    path.symlink_to(path.parent.parent / "elsewhere")


DAMAGES = {
    "emptied": truncated(0),
    "half": truncated(0.5),
    "one byte short": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "flipped": flipped,
    "gone": lambda path: path.unlink(),
    "a directory": replaced,
    "a link": linked,
}
FILES = ("arrays-00000-of-00001.safetensors", "progress.json", SEAL)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_step_is_passed_over_aloud_and_written_again(tmp_path, damage, name):
    checkpoints, state = saved(tmp_path / "steps")
    DAMAGES[damage](tmp_path / "steps" / "3" / name)
    warnings = []
    found = checkpoints.restore(toys.new_state(), warnings.append)
    if (damage, name) == ("one byte short", SEAL):  # the last byte is an end of line
        assert found is not None and int(found[0].step) == 3
        return
    assert found is not None and int(found[0].step) == 2
    (warning,) = warnings
    assert "checkpoint of step 3 is damaged" in warning and warning.endswith("going on from step 2")
    assert (name in warning) == ((damage, name) != ("flipped", SEAL))  # of a digit in a checksum
    checkpoints.save(state, {"step": 3})
    found = checkpoints.restore(toys.new_state(), refuse)
    assert found is not None and int(found[0].step) == 3


@pytest.mark.parametrize("what", ("empty", "a file", "a link", "a copy of another"))
def test_a_directory_that_is_no_step_is_damaged_too(tmp_path, what):
    checkpoints, _ = saved(tmp_path / "steps")
    newest = tmp_path / "steps" / "4"
    match what:
        case "empty":
            newest.mkdir()
        case "a file":
            newest.write_text("4")
        case "a link":
            newest.symlink_to(tmp_path / "steps" / "3")
        case _:
            shutil.copytree(tmp_path / "steps" / "3", newest)
    warnings = []
    found = checkpoints.restore(toys.new_state(), warnings.append)
    assert found is not None and int(found[0].step) == 3 and len(warnings) == 1


def test_junk_is_no_step_and_times_mean_nothing(tmp_path):
    checkpoints, _ = saved(tmp_path, steps=(9, 10))
    for name in (".DS_Store", "step_abc", "12.tmp", "007", "-1", "latest", "١٢"):
        (tmp_path / name).write_text("junk")
    (tmp_path / ".11.new").mkdir()
    (tmp_path / "9").touch()  # the older step has the newer time
    found = checkpoints.restore(toys.new_state(), refuse)
    assert checkpoints.steps() == [9, 10] and found is not None and int(found[0].step) == 10
    checkpoints.sweep()
    assert not (tmp_path / ".11.new").exists() and (tmp_path / "step_abc").exists()


def test_if_all_steps_are_damaged_the_run_is_not_silently_begun_anew(tmp_path):
    checkpoints, _ = saved(tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    with pytest.raises(InputError, match=r"no checkpoint is whole \(steps 3, 2: SEAL.json: .*anew"):
        checkpoints.restore(toys.new_state(), refuse)


def test_steps_of_a_future_that_was_left_go_when_another_is_saved(tmp_path):
    checkpoints, _ = saved(tmp_path, steps=(1, 2, 3))
    flipped(tmp_path / "3" / FILES[0])
    found = checkpoints.restore(toys.new_state(), lambda text: None)
    assert found is not None
    state, _ = toys.step_fn()(found[0]._replace(step=jnp.int32(1)), toys.make_batch(0), toys.KEY)
    checkpoints.save(state, {"step": 2})  # there and whole
    assert checkpoints.steps() == [2, 3]
    checkpoints.save(found[0]._replace(step=jnp.int32(1)), {"step": 1})
    assert checkpoints.steps() == [1]


@pytest.mark.parametrize(
    ("params", "message"),
    (
        ({"slope": jnp.zeros(3)}, r"params/slope is float32 \(\) there and float32 \(3,\) here"),
        ({"slope": jnp.int32(0)}, r"params/slope is float32 \(\) there and int32 \(\) here"),
        ({"slope": jnp.float32(0), "x": jnp.ones(2)}, r"params/x is nothing there and float32"),
        ({}, r"params/slope is float32 \(\) there and nothing here"),
    ),
)
def test_the_state_of_another_model_is_refused_by_parameter(tmp_path, params, message):
    checkpoints, state = saved(tmp_path)
    with pytest.raises(InputError, match=f"step 3 is of another model or optimizer: {message}"):
        checkpoints.restore(state._replace(params=params), refuse)


def test_claims_are_held_against_the_file_before_memory_is_taken(tmp_path):
    """A seal that a stranger made anew over a header that promises more than there is."""
    checkpoints, _ = saved(tmp_path, steps=(1,))
    path = tmp_path / "1" / FILES[0]
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    header["params/slope"]["shape"] = [2**50]
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + content[8 + length :])
    steps = Steps(tmp_path)
    shutil.move(tmp_path / "1", tmp_path / ".1.new")
    (tmp_path / ".1.new" / SEAL).unlink()
    steps.commit(1)
    with pytest.raises(InputError, match="'params/slope' claims a shape that its bytes do not"):
        checkpoints.restore(toys.new_state(), refuse)


def test_pieces_come_together_however_they_were_cut():
    whole = np.arange(48).reshape(6, 8)
    cut = [(0, 0, 4, 3), (4, 0, 2, 3), (0, 3, 6, 5)]
    pieces = [
        (Piece((a, b), (n, m)), lambda a=a, b=b, n=n, m=m: whole[a : a + n, b : b + m])
        for a, b, n, m in cut
    ]
    for top in range(6):
        for left in range(8):
            region = (slice(top, 6), slice(left, 8))
            np.testing.assert_array_equal(joined(pieces, region, whole.dtype), whole[region])
    with pytest.raises(ValueError, match="12 numbers are missing"):
        joined(pieces[1:2] + pieces[2:], (slice(0, 6), slice(0, 8)), whole.dtype)


def test_what_all_processes_hold_is_stored_by_one():
    state = {"a": jnp.ones(2), "b": np.ones(2), "c": 3}
    assert list(parts_of(state)) == ["a", "b", "c"]
    assert parts_of(state, others_have_the_rest=True) == {}
