"""Every cell under every transformation of JAX; those that are much like another are `slow`."""

import functools
import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from unroll.cases import CASES, WAYS
from unroll.test_unroll import Outer, make

COMMON = {("lstm", "fused"), ("gru", "scan"), ("slstm", "fused"), ("min lstm", "parallel")}
every_way = pytest.mark.parametrize(
    ("name", "method"),
    [pytest.param(*way, marks=[] if way in COMMON else pytest.mark.slow) for way in WAYS],
)


def layer_fn(name, method):
    """Returns `(params, carry, inputs, lengths) -> (carry, outputs)`, not compiled."""
    layer = Outer(CASES[name].cell_fn(), method)
    return lambda params, *arguments: layer.apply({"params": params}, *arguments)


def loss_fn(name, method):
    run = layer_fn(name, method)
    return lambda *arguments: sum(
        jnp.sum(jnp.sin(leaf)) for leaf in jax.tree.leaves(run(*arguments))
    )


def assert_close(one, other, tolerance):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=tolerance), one, other)


@every_way
def test_jit_is_eager(name, method):
    run, arguments = layer_fn(name, method), make(name)
    assert_close(jax.jit(run)(*arguments), run(*arguments), 1e-6)


@every_way
def test_vmap_over_weights_is_a_loop_over_them(name, method):
    params, *arguments = make(name)
    run = jax.jit(layer_fn(name, method))
    several = [jax.tree.map(lambda leaf, s=s: s * leaf, params) for s in (1.0, 0.5)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *several)
    mapped = jax.jit(jax.vmap(layer_fn(name, method), (0, None, None, None)))
    found = mapped(stacked, *arguments)
    for number, one in enumerate(several):
        expected = run(one, *arguments)
        assert_close(jax.tree.map(lambda leaf, n=number: leaf[n], found), expected, 1e-6)


@every_way
def test_checkpoint_changes_no_gradient(name, method):
    params, carry, inputs, lengths = make(name)
    loss = loss_fn(name, method)
    plain, again = (
        jax.jit(jax.grad(function))(params, carry, inputs, lengths)
        for function in (loss, jax.checkpoint(loss))
    )
    assert_close(again, plain, 1e-6)


@every_way
def test_bfloat16_is_close_and_stays_bfloat16(name, method):
    params, carry, inputs, lengths = make(name)
    half = functools.partial(jax.tree.map, lambda leaf: leaf.astype(jnp.bfloat16))
    run = jax.jit(layer_fn(name, method))
    found = run(half(params), half(carry), half(inputs), lengths)
    assert all(leaf.dtype == jnp.bfloat16 for leaf in jax.tree.leaves(found))
    _, exact = run(params, carry, inputs, lengths)
    np.testing.assert_allclose(np.float32(found[1]), exact, atol=0.15)


@every_way
def test_no_tracer_leaks(name, method):
    with jax.checking_leaks():
        jax.jit(jax.grad(loss_fn(name, method)))(*make(name))


DEVICES = """
import jax, numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from test_matrix import COMMON, assert_close, layer_fn
from unroll.test_unroll import make

assert len(jax.devices()) == 8
mesh = Mesh(np.array(jax.devices()), ("rows",))
specs = PartitionSpec("rows"), PartitionSpec()
by_row, everywhere = (NamedSharding(mesh, spec) for spec in specs)
for name, method in sorted(COMMON):
    params, *rows = make(name)
    rows = jax.tree.map(lambda leaf: np.concatenate([leaf] * 4), rows)
    run = jax.jit(layer_fn(name, method))
    expected = run(params, *rows)
    found = run(jax.device_put(params, everywhere), *jax.device_put(rows, by_row))
    assert len(found[1].sharding.device_set) == 8
    assert_close(found, expected, 1e-6)
print("done")
"""


def test_eight_devices_are_one():
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count=8"
    done = subprocess.run(
        [sys.executable, "-c", DEVICES],
        env={**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": os.path.dirname(__file__)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "done\n", done.stderr
