"""`seqjax doctor`: what this installation is made of, and whether it computes rightly."""

import functools
import importlib.metadata
import json
import os
import platform
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from seqjax.cli.flags import DoctorFlags
from seqjax.errors import InputError

PACKAGES = ("seqjax", "jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy")

CANARY_ROWS = 32_769
"""One more than 2^15 rows of float32 made the compiler cut its loop in the wrong place."""


def run(arguments: DoctorFlags) -> int:
    """Prints the findings; returns 0, or 1 if compiled code computes wrong numbers here."""
    findings = examine()
    if arguments.json:
        print(json.dumps(findings, indent=2))
    else:
        for name, value in findings.items():
            print(f"{name:<24} {value}")
        print("all is well" if findings["wrong_canary_rows"] == 0 else COMPLAINT)
    return 0 if findings["wrong_canary_rows"] == 0 else 1


COMPLAINT = (
    "wrong_canary_rows is not 0: this JAX computes wrong numbers without saying so. Nothing that "
    "is trained here can be trusted; install another version of jax and jaxlib (on CPU, 0.10.2 is "
    "known to do this)."
)


def examine() -> dict[str, Any]:
    """Returns what can be said about this installation, all of it JSON.

    Raises:
      InputError: If JAX cannot start the devices that it was told to use.
    """
    try:
        devices = jax.devices()
    except RuntimeError as error:
        raise InputError(f"JAX cannot start a device: {' '.join(str(error).split())}") from None
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {
        "python": platform.python_version(),
        "platform": platform.platform(),
        **versions,
        "backend": jax.default_backend(),
        "devices": [f"{device.platform}:{device.id} {device.device_kind}" for device in devices],
        "threads": threads(),
        "memory_gib": memory_gib(),
        "float": str(jnp.zeros(()).dtype),
        "x64": bool(jax.config.read("jax_enable_x64")),
        "xla_flags": os.environ.get("XLA_FLAGS", ""),
        "wrong_canary_rows": wrong_canary_rows(CANARY_ROWS),
    }


def wrong_canary_rows(rows: int) -> int:
    """Returns in how many of `rows` rows a compiled computation differs from the same one, eager.

    Each row has one number that is not 0, so that there is one rounding and nothing but equality
    is right. jaxlib 0.10.2 gets the last of 32,769 rows wrong on CPU.

    References:
      jax-ml/jax issue 39103, 2026.
    """
    first = jnp.arange(rows, dtype=jnp.float32)
    points = jnp.stack((first, jnp.zeros_like(first), jnp.zeros_like(first)), axis=1)  # [rows, 3]
    matrix = jnp.eye(3, dtype=jnp.float32)
    # Accelerators would round the factors of a product to fewer bits, compiled or not.
    product = functools.partial(jnp.matmul, matrix, precision="highest")
    squares = jax.vmap(lambda point: jnp.sum(product(point) ** 2))
    return int(jnp.sum(squares(points) != jax.jit(squares)(points)))


def threads() -> int:
    """Returns how many threads this process may run at once, where the system tells, or has."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_gib() -> float | None:
    """Returns the machine's memory in GiB, or None where the system does not tell."""
    meminfo = Path("/proc/meminfo")
    if not meminfo.exists():
        return None
    kib = int(meminfo.read_text().split("MemTotal:")[1].split()[0])
    return round(kib / 2**20, 1)
