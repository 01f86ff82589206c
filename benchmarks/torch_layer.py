"""One recurrent layer of PyTorch's, forward and backward: oneDNN on a CPU, cuDNN on a GPU."""

import os

import numpy as np
import torch  # pyright: ignore[reportMissingImports]

from benchmarks.timing import Way


def gradient(
    kind: str, values: np.ndarray, *, device: str = "cpu", precision: str = "float32"
) -> Way:
    """Returns a forward and backward pass, with as many threads as there are processors.

    There are no lengths, for packing would slow it down.

    Args:
      kind: `lstm` or `gru`.
      values: `[batch, time, features]`; as wide as the layer.
      device: Where it runs.
      precision: `float32`, `tf32` or `bfloat16`.
    """
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    torch.backends.cudnn.allow_tf32 = precision == "tf32"
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    size = values.shape[-1]
    layer = {"lstm": torch.nn.LSTM, "gru": torch.nn.GRU}[kind](size, size, batch_first=True)
    layer = layer.to(device, dtype)
    inputs = torch.tensor(values).to(device, dtype).requires_grad_()

    def run():
        layer.zero_grad(set_to_none=True)
        inputs.grad = None
        layer(inputs)[0].float().square().sum().backward()
        if device == "cuda":
            torch.cuda.synchronize()

    return run
