"""`seqjax bench gpu`: its parts run without a GPU too, though what they measure then is nothing."""

import json

import jax
import jax.numpy as jnp
import pytest

from benchmarks import gpu, gpu_speed
from benchmarks.timing import show
from seqjax.cli.main import main
from seqjax.config import Config, DataConfig, ModelConfig, ValidationConfig

pytestmark = pytest.mark.standard_promotion

TINY = Config(
    steps=3,
    data=DataConfig(embedded="copy", examples=40, max_length=3, batch_size=8, buckets=1),
    model=ModelConfig(embedding_size=8, hidden_size=8),
    validation=ValidationConfig(examples=4),
)


@pytest.mark.skipif(jax.default_backend() == "gpu", reason="there is a GPU")
def test_without_a_gpu_it_says_so_in_one_line(capsys):
    assert main(["bench", "gpu"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err == "error: bench gpu needs a GPU, JAX has cpu; ask `seqjax doctor`\n"


@pytest.mark.slow
def test_ways_through_time_agree():
    rows = list(gpu.agreement((2, 3, 8), on_gpu=False))
    assert len(rows) == 3
    for row in rows:
        assert 0 <= row["values differ by"] < 1e-5
        assert 0 <= row["gradients differ by"] < 1e-4


def test_a_difference_would_be_seen():
    one, other = jnp.array([0.0, 4.0]), jnp.array([0.0, 5.0])
    assert gpu._largest_difference(one, other) == 0.25
    assert gpu._largest_difference(0 * one, 0 * one) == 0


@pytest.mark.slow
@pytest.mark.parametrize("precision", ("float32", "bfloat16"))
def test_every_peer_has_its_row(precision, capsys):
    rows = list(gpu_speed.speed(precision, (2, 3, 8), runs=1, on_gpu=False))
    peers = [row["peer"] for row in rows]
    assert peers == ["seqjax scan", "flax LSTMCell", "flax OptimizedLSTMCell"]
    for row in rows:
        assert min(row[f"{who}_step_us"] for who in ("ours", "peer", "floor")) > 0
    show(rows, as_json=False, line_fn=gpu.line_of)
    assert capsys.readouterr().out.count(" us a step, floor ") == len(rows)
    show(rows, as_json=True)
    assert [json.loads(line) for line in capsys.readouterr().out.splitlines()] == rows


@pytest.mark.slow
def test_all_of_it_runs(capsys):
    found = list(gpu.measurements(runs=1, sizes=[(2, 3, 8)], require_gpu=False, settings=TINY))
    assert len(found) == 3 + 3 * 3 + 1
    assert found[-1]["case"] == "training copy, 3 steps"
    assert 0 <= found[-1]["exact match"] <= 1
    show(found, as_json=False, line_fn=gpu.line_of)
    assert len(capsys.readouterr().out.splitlines()) == len(found)
