"""Where a computation first stops being finite is found, and named by its module."""

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from train import toys

from seqjax.rundir.tensors import open_tensors
from seqjax.train.crash import write_crash
from seqjax.train.finite import first_not_finite

pytestmark = pytest.mark.standard_promotion


class Cell(nn.Module):
    """Doubles its state each step, and adds what the kernel makes of the input."""

    factor: float

    @nn.compact
    def __call__(self, carry, x):
        carry = self.factor * carry + nn.Dense(2, name="inner")(x)
        return carry, carry


class Model(nn.Module):
    factor: float = 1.0

    @nn.compact
    def __call__(self, x):
        scanned = nn.scan(
            Cell, variable_broadcast="params", split_rngs={"params": False}, in_axes=1, out_axes=1
        )
        _, states = scanned(self.factor, name="cell")(jnp.ones((x.shape[0], 2)), x)
        return nn.Dense(3, name="head")(states)


INPUTS = np.ones((2, 5, 4), np.float32)


def loss(model, head=lambda logits: logits):
    return lambda params: jnp.mean(head(model.apply({"params": params}, INPUTS)))


def params_of(model):
    return model.init(jax.random.key(0), INPUTS)["params"]


def test_nothing_is_found_in_what_is_finite():
    model = Model()
    assert first_not_finite(jax.value_and_grad(loss(model)), params_of(model)) is None


def test_an_argument_is_named_before_all():
    model = Model()
    params = params_of(model)
    params["cell"]["inner"]["bias"] = params["cell"]["inner"]["bias"].at[1].set(jnp.nan)
    assert first_not_finite(loss(model), params) == "cell/inner/bias holds NaN before the step"


def test_the_module_the_operation_and_the_time_step_are_named():
    model = Model(factor=1e15)  # squared, and squared again: too much for float32 in the third
    found = first_not_finite(jax.jit(jax.value_and_grad(loss(model))), params_of(model))
    assert found is not None
    assert found.split(", then ")[0] == "Model[step 2]/cell: mul gives infinity"


def test_an_infinity_that_is_meant_is_not_held_against_anybody():
    masked = lambda logits: nn.softmax(
        jnp.where(jnp.arange(3) < 2, logits, jnp.log(0.0 * logits) - jnp.inf)
    )
    assert first_not_finite(loss(Model(), masked), params_of(Model())) is None


def test_a_gradient_alone_may_be_what_is_not_finite():
    model = Model()
    root = lambda logits: jnp.sqrt(logits * 0.0)  # 0, with an infinite slope
    found = first_not_finite(jax.grad(loss(model, root)), params_of(model))
    assert found is not None and "gives" in found
    assert first_not_finite(loss(model, root), params_of(model)) is None


def test_what_is_written_of_a_crash_is_what_the_step_was_made_of(tmp_path):
    state, batch = toys.new_state()._replace(step=jnp.int32(6)), toys.make_batch(3)
    path = write_crash(tmp_path / "crash", state, batch, toys.KEY, {"step": 7})
    assert path.name == "7.json" and path.read_text() == '{\n  "step": 7\n}\n'
    stored = open_tensors(path.with_suffix(".safetensors"))
    np.testing.assert_array_equal(stored.read("batch/inputs/values"), batch.inputs.values)
    np.testing.assert_array_equal(stored.read("params/slope"), state.params["slope"])
    key = jax.random.wrap_key_data(stored.read("key"), impl=stored.metadata["key"])
    assert key == toys.KEY
