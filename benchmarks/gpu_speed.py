"""How fast one LSTM is on a GPU, forward and backward: ours beside Flax's and PyTorch's (cuDNN)."""

import contextlib
import importlib.util
from collections.abc import Iterator
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.layer import Flax, Ours, gradient
from benchmarks.timing import Way, compiled, interleaved, product_rate, rows
from seqjax.cells.lstm import LSTMCell
from seqjax.unroll.unroll import UnrollMethod

PRECISIONS = {
    "float32": (jnp.float32, "highest"),
    "tf32": (jnp.float32, "tensorfloat32"),
    "bfloat16": (jnp.bfloat16, None),
}


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
        ways = {name: gradient(module, inputs, lengths) for name, module in modules.items()}
        ways["floor"] = _floor(steps)
    if on_gpu and _torch_has_gpu():
        from benchmarks import torch_layer

        ways["torch"] = torch_layer.gradient("lstm", values, device="cuda", precision=precision)
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
