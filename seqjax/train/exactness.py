"""The same bits from the same run on a GPU, where they are not to be had for nothing."""

import os
from collections.abc import MutableMapping

EXACT = "--xla_gpu_deterministic_ops=true"
"""Sums of a fixed order only; no choice of kernels by timing them."""


def ask_for_exactness(environment: MutableMapping[str, str] = os.environ) -> None:
    """Tells XLA to compile nothing for a GPU whose result changes from run to run.

    Call it before JAX is imported, which reads the environment once. What the user set stays, and
    is read after this.
    """
    given = environment.get("XLA_FLAGS", "")
    if EXACT not in given.split():
        environment["XLA_FLAGS"] = f"{EXACT} {given}".strip()


def exactness_line(backend: str) -> str:
    """Returns what exactness costs on a backend, as JAX calls it (`cpu`, `gpu`, `tpu`).

    >>> exactness_line("cpu")
    'exact    on a cpu without being asked for: the same run gives the same bits'
    """
    if backend != "gpu":
        return f"exact    on a {backend} without being asked for: the same run gives the same bits"
    return (
        "exact    sums have a fixed order and no kernel is chosen by timing: steps are slower, by "
        "how much depends on the model (time some steps with and without --deterministic)"
    )
