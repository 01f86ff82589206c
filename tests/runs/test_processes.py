"""Several processes train as one does, stop together, and go on in any number."""

import numpy as np
import pytest
from runs import together

SLOW = pytest.mark.slow


def assert_same(found, wanted, rtol=1e-6):
    np.testing.assert_allclose(found["losses"], wanted["losses"][-len(found["losses"]) :], rtol)
    for name, values in wanted["params"].items():
        np.testing.assert_allclose(found["params"][name], values, atol=1e-5, err_msg=name)


def test_two_processes_learn_what_one_does(tmp_path):
    one = together.train(1, tmp_path / "one", 7)
    two = together.train(2, tmp_path / "two", 7)
    assert len(two["losses"]) == 7
    assert_same(two, one)
    files = sorted(path.name for path in (tmp_path / "two" / "checkpoints" / "7").iterdir())
    assert [name for name in files if name.startswith("arrays")] == [
        "arrays-00000-of-00002.safetensors",
        "arrays-00001-of-00002.safetensors",
    ]
