"""How fast one LSTM is on a GPU, forward and backward: ours beside Flax's and PyTorch's (cuDNN)."""

import contextlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.timing import Way, compiled, interleaved, product_rate, rows
from seqjax.cells.cell import RecurrentCell
from seqjax.cells.lstm import LSTMCell
from seqjax.unroll.unroll import UnrollMethod, unroll

PRECISIONS = {
    "float32": (jnp.float32, "highest"),
    "tf32": (jnp.float32, "tensorfloat32"),
    "bfloat16": (jnp.bfloat16, None),
}


class Ours(nn.Module):
    """A cell under `unroll`; it begins with zeros of the inputs' dtype."""

    cell: RecurrentCell
    method: UnrollMethod

    def __call__(self, inputs, lengths):
        carry = self.cell.initial_carry(inputs.shape[0])
        carry = jax.tree.map(lambda leaf: leaf.astype(inputs.dtype), carry)
        return unroll(self.cell, carry, inputs, lengths, method=self.method)[1]


class Flax(nn.Module):
    """A Flax cell under `nn.RNN`."""

    cell: Any

    @nn.compact
    def __call__(self, inputs, lengths):
        return nn.RNN(self.cell)(inputs, seq_lengths=lengths)


def speed(
    precision: str, size: tuple[int, ...], runs: int, on_gpu: bool
) -> Iterator[dict[str, Any]]:
    """Yields a row for each peer of the fused LSTM: those of `timing.rows`, and steps and shares.

    A time step is forward and backward here, and so is its floor: two loops of nearly nothing.
    """
    batch, steps, hidden = size
    dtype, products = PRECISIONS[precision]
    values = np.random.default_rng(0).normal(size=size).astype(np.float32)
    inputs, lengths = jnp.asarray(values, dtype), jnp.full((batch,), steps, jnp.int32)
    ours: dict[str, UnrollMethod] = {"seqjax fused": "fused", "seqjax scan": "scan"}
    if on_gpu and precision == "float32":
        ours["seqjax cudnn"] = "cudnn"
    modules: dict[str, nn.Module] = {
        name: Ours(LSTMCell(hidden, hidden), method) for name, method in ours.items()
    }
    normal = nn.initializers.lecun_normal()  # an orthogonal kernel cannot be drawn in bfloat16
    for kind in (nn.LSTMCell, nn.OptimizedLSTMCell):
        cell = kind(hidden, dtype=dtype, param_dtype=dtype, recurrent_kernel_init=normal)
        modules[f"flax {kind.__name__}"] = Flax(cell)
    with jax.default_matmul_precision(products) if products else contextlib.nullcontext():
        ceiling = product_rate(8_192 if on_gpu else 256, dtype=dtype)
        ways = {name: _gradient(module, inputs, lengths) for name, module in modules.items()}
        ways["floor"] = _floor(steps)
    if on_gpu and _torch_has_gpu():
        ways["torch"] = _torch_gradient(precision, values)
    timings = interleaved(ways, runs)
    step_us = {name: round(1e6 * timing.median / steps, 2) for name, timing in timings.items()}
    floor = step_us.pop("floor")
    del timings["floor"]
    gflop = 3 * 2 * batch * steps * 4 * hidden * 2 * hidden / 1e9
    share = {name: gflop / timing.median / ceiling for name, timing in timings.items()}
    case = f"lstm {batch} x {steps} x {hidden} {precision}"
    for row in rows(case, "seqjax fused", timings, gflop=gflop, ceiling=ceiling):
        yield row | {
            "ours_step_us": step_us["seqjax fused"],
            "peer_step_us": step_us[row["peer"]],
            "floor_step_us": floor,
            "ours_share": round(share["seqjax fused"], 4),
            "peer_share": round(share[row["peer"]], 4),
        }


def _gradient(module: nn.Module, inputs: Any, lengths: Any) -> Way:
    """Returns a forward and backward pass with all weights and sums in the dtype of the inputs."""
    variables = module.init(jax.random.key(0), inputs.astype(jnp.float32), lengths)
    variables = jax.tree.map(lambda leaf: leaf.astype(inputs.dtype), variables)

    def loss(variables, inputs):
        outputs: Any = module.apply(variables, inputs, lengths)
        if outputs.dtype != inputs.dtype:
            raise TypeError(f"{module}: {inputs.dtype} in, {outputs.dtype} out")
        return jnp.sum(jnp.square(outputs.astype(jnp.float32)))

    return compiled(jax.grad(loss, (0, 1)), variables, inputs)


def _floor(steps: int) -> Way:
    """Returns as many time steps of one small operation, there and back."""
    step = lambda carry, _: (jnp.sin(carry), None)
    loss = lambda carry: jnp.sum(jax.lax.scan(step, carry, length=steps)[0])
    return compiled(jax.grad(loss), jnp.ones((64,)))


def _torch_has_gpu() -> bool:
    if importlib.util.find_spec("torch") is None:
        return False
    import torch  # pyright: ignore[reportMissingImports]

    return torch.cuda.is_available()


def _torch_gradient(precision: str, values: np.ndarray) -> Way:
    """The same with `torch.nn.LSTM`, that is with cuDNN; no lengths, as in `bench recurrent`."""
    import torch  # pyright: ignore[reportMissingImports]

    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    size = values.shape[-1]
    layer = torch.nn.LSTM(size, size, batch_first=True).to("cuda", dtype)
    x = torch.tensor(values).to("cuda", dtype).requires_grad_()

    def run():
        torch.backends.cudnn.allow_tf32 = precision == "tf32"
        layer.zero_grad(set_to_none=True)
        x.grad = None
        layer(x)[0].float().square().sum().backward()
        torch.cuda.synchronize()

    return run
