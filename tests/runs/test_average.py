"""Means of weights, beside the same by hand."""

import jax.numpy as jnp
import numpy as np
import optax
import pytest
from build.handmade import config_of, run_of, weights

from seqjax.cli.main import main
from seqjax.errors import InputError
from seqjax.rundir import load_weights, open_run
from seqjax.runs.average import average
from seqjax.runs.trained import load
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.paths import flat, map_with_paths
from seqjax.train.step import init_state

TEXTS = {"source": "abc", "target": "uv"}


def test_the_mean_of_runs_is_a_run(tmp_path):
    """To the last bit: each number is the mean of both, rounded once."""
    one, other = (
        run_of(tmp_path / name, config_of(), seed=seed, **TEXTS)
        for seed, name in enumerate(("a", "b"))
    )
    paths = [str(tmp_path / name) for name in ("a", "b")]
    assert main(["average", *paths, "--output", str(tmp_path / "mean")]) == 0
    found = load(str(tmp_path / "mean"))
    for path, leaf in flat(found.params).items():
        mean = (one[path].astype(np.float64) + other[path]) / 2
        np.testing.assert_array_equal(leaf, mean.astype(np.float32), err_msg=path)
    with pytest.raises(InputError, match="a run is there already; choose another --output"):
        average(paths, str(tmp_path / "mean"))


@pytest.mark.parametrize("kept", ("params", "average"))
def test_the_last_checkpoints_are_averaged_as_they_would_be_evaluated(tmp_path, kept):
    run_of(tmp_path / "a", config_of(), **TEXTS)
    _, params = weights(config_of(), tuple(TEXTS.items()), 1)
    checkpoints = Checkpoints(tmp_path / "a" / "checkpoints", keep=3)
    state, expected = init_state({}, optax.identity()), []
    for step in (5, 10, 15):
        moved = map_with_paths(lambda path, leaf, by=step: leaf + by, params)
        far = map_with_paths(lambda path, leaf: leaf * 0 + 1e6, params)
        trees = {"params": moved} if kept == "params" else {"params": far, "average": moved}
        expected.append(moved)
        state = state._replace(step=jnp.int32(step), **trees)
        checkpoints.save(state, {})
    sources = average([str(tmp_path / "a")], str(tmp_path / "mean"), last=2)
    assert [source.split("/")[-1] for source in sources] == ["10", "15"]
    found, metadata = load_weights(open_run(tmp_path / "mean").best_weights)
    assert "checkpoints/15" in metadata["averaged"]
    for path, leaf in flat(found).items():
        mean = np.mean([flat(each)[path].astype(np.float64) for each in expected[1:]], axis=0)
        np.testing.assert_array_equal(leaf, mean.astype(np.float32), err_msg=path)
    with pytest.raises(InputError, match="has 3 checkpoints, --last 4 needs more; train with"):
        average([str(tmp_path / "a")], str(tmp_path / "other"), last=4)


def test_weights_that_do_not_mean_the_same_are_not_averaged(tmp_path):
    run_of(tmp_path / "a", config_of(), **TEXTS)
    run_of(tmp_path / "b", config_of(hidden_size=8), **TEXTS)
    run_of(tmp_path / "c", config_of(), source="abc", target="vu")
    for name, said in (
        ("b", r"b: decoder/bridge/layer_0/bias is \(16,\) there and \(12,\) in .*a; give runs of"),
        ("c", "c: its target vocabulary is not that of .*a; give runs of equal vocabularies"),
    ):
        with pytest.raises(InputError, match=said):
            average([str(tmp_path / "a"), str(tmp_path / name)], str(tmp_path / "mean"))
    assert not (tmp_path / "mean").exists()


def test_one_set_of_weights_has_no_mean(capsys):
    assert main(["average", "runs/x", "--output", "y"]) == 2
    assert "one alone has no mean" in capsys.readouterr().err
    assert main(["average", "runs/x", "runs/z"]) == 2
    assert "output must be given" in capsys.readouterr().err
