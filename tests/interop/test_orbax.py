import logging

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.errors import InputError
from seqjax.interop.orbax import load_orbax, save_orbax


@pytest.fixture(autouse=True)
def quiet():
    """Orbax narrates every save."""
    logger = logging.getLogger("absl")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    yield
    logger.setLevel(before)


TREE = {
    "decoder": {"kernel": jnp.arange(6, dtype=jnp.float32).reshape(2, 3)},
    "half": jnp.arange(3, dtype=jnp.bfloat16) / 3,
    "step": jnp.int32(7),
}


def test_what_goes_to_orbax_comes_back(tmp_path):
    save_orbax(tmp_path / "orbax", TREE)
    found = load_orbax(tmp_path / "orbax", jax.tree.map(jnp.zeros_like, TREE))
    assert jax.tree.structure(found) == jax.tree.structure(TREE)
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(TREE), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    with pytest.raises(InputError, match="is there already"):
        save_orbax(tmp_path / "orbax", TREE)


@pytest.mark.parametrize(
    ("change", "message"),
    (
        ({"half": jnp.zeros(4, jnp.bfloat16)}, r"half is \(\(3,\), 'bfloat16'\) there"),
        ({"half": jnp.zeros(3)}, "half is .*'float32'"),
        ({"more": jnp.zeros(3)}, "more is nothing there"),
    ),
)
def test_another_tree_is_refused_by_name(tmp_path, change, message):
    save_orbax(tmp_path / "orbax", TREE)
    with pytest.raises(InputError, match=message):
        load_orbax(tmp_path / "orbax", TREE | change)


def test_what_is_no_orbax_directory_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such Orbax directory"):
        load_orbax(tmp_path / "none", TREE)
    with pytest.raises(InputError, match="not an Orbax checkpoint"):
        load_orbax(tmp_path, TREE)
