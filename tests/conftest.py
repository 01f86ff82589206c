"""What holds for every test: JAX takes no dtype or rank for another one without being told to."""

import jax
import pytest


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
