"""What holds for every test: JAX takes no dtype or rank for another one without being told to."""

import os
import shutil
import tempfile

import pytest

# Many tests compile the same programs, in this process and in others: each is compiled once. Set
# before JAX is imported, and passed on to the processes that tests start.
CACHE = "JAX_COMPILATION_CACHE_DIR"
OWN_CACHE = CACHE not in os.environ
if OWN_CACHE:
    os.environ[CACHE] = tempfile.mkdtemp(prefix="seqjax-tests-")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0.3"

import jax  # noqa: E402


@pytest.fixture(autouse=True, scope="module")
def forgotten_programs():
    """What one file has compiled is of no use to the next, and thousands of programs are slow."""
    yield
    jax.clear_caches()


def pytest_unconfigure(config):
    if OWN_CACHE:
        shutil.rmtree(os.environ[CACHE], ignore_errors=True)


def pytest_configure(config):
    config.addinivalue_line(
        "markers", "standard_promotion: runs optax, whose own arithmetic mixes dtypes and ranks"
    )


@pytest.fixture(autouse=True)
def strict_promotion(request):
    """`jnp` adds no int32 to a float32 and no vector to a matrix, unless a test is marked."""
    if request.node.get_closest_marker("standard_promotion"):
        yield
        return
    with jax.numpy_dtype_promotion("strict"), jax.numpy_rank_promotion("raise"):
        yield
