"""Our safetensors are those of the safetensors package, and what is no such file is refused."""

import io
import json
import os
import pickle
import zipfile

import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from seqjax.errors import InputError
from seqjax.rundir.tensors import DTYPES, open_tensors, write_tensors

ARRAYS = {
    "b/matrix": np.arange(6, dtype=np.float32).reshape(2, 3),
    "a": np.array(True),
    "none": np.zeros((3, 0), np.int64),
    "transposed": np.arange(6, dtype=np.int16).reshape(2, 3).T,
}


def test_the_safetensors_package_reads_what_is_written_and_is_read(tmp_path):
    write_tensors(tmp_path / "ours", ARRAYS, {"who": "ü"})
    with safetensors.safe_open(tmp_path / "ours", framework="numpy") as file:
        assert file.metadata() == {"who": "ü"}
        for name, array in ARRAYS.items():
            np.testing.assert_array_equal(file.get_tensor(name), array)
    safetensors.numpy.save_file(ARRAYS | {"transposed": np.ones(2)}, tmp_path / "theirs")
    theirs = open_tensors(tmp_path / "theirs")
    for name in ("b/matrix", "a", "none"):
        np.testing.assert_array_equal(theirs.read(name), ARRAYS[name])
        assert theirs.read(name).dtype == ARRAYS[name].dtype


@pytest.mark.parametrize("name", DTYPES)
def test_every_dtype_survives_bit_for_bit(tmp_path, name):
    array = np.array([0, 1, 1, 0, 1]).astype(DTYPES[name])
    write_tensors(tmp_path / "file", {"x": array, "jax": jnp.asarray(array[:0])}, {})
    found = open_tensors(tmp_path / "file").read("x")
    assert found.dtype == array.dtype and found.tobytes() == array.tobytes()


def test_a_dtype_without_a_name_is_refused_before_anything_is_written(tmp_path):
    for dtype in (ml_dtypes.int4, np.complex128, np.dtype("U3")):
        with pytest.raises(ValueError, match="dtype of x must be one of safetensors'"):
            write_tensors(tmp_path / "file", {"x": np.zeros(2, dtype)}, {})
    assert not (tmp_path / "file").exists()


def made(header, content=bytes(8), length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + content


def entry(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"x": {"dtype": dtype, "shape": list(shape), "data_offsets": list(offsets), **more}}


def archive():
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        file.writestr("x.npy", bytes(200))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    (
        (b"", "a header of 0 bytes in a file of 0"),
        (b"\x10", "in a file of 1"),
        (made(entry(), length=2**63), "a header of 9,223,372,036,854,775,808 bytes"),
        (made(entry(), length=99_999), "a header of 99,999 bytes"),
        (made(b"[]"), "the header is no object"),
        (made(b'{"x": ' * 100_000 + b"}" * 100_000), "nested too deep"),
        (made(b'{"x": 1' + b"0" * 5_000 + b"}"), "digits"),
        (made(b'{"x": 1, "x": 1}'), "x stands there twice"),
        (made(b'{"x": NaN}'), "NaN is not a number of JSON"),
        (made(b"\xff\xfe"), "decode"),
        (made({"__metadata__": {"a": 1}}), "metadata must be texts"),
        (made({"x": 3}), "'x' must have dtype, shape and data_offsets"),
        (made(entry(evil="os.system")), "'x' must have dtype, shape and data_offsets"),
        (made(entry(dtype="O")), "'x' has an unknown dtype"),
        (made(entry(dtype=["F32"])), "'x' has an unknown dtype"),
        (made(entry(shape=(-2,))), "'x' must have a shape and offsets of whole numbers"),
        (made(entry(shape=(True,), offsets=(0, 4))), "'x' must have a shape and offsets of whole"),
        (made(entry(shape=(2.0,))), "'x' must have a shape and offsets of whole numbers"),
        (made(entry(shape=(2**50,))), "'x' claims a shape that its bytes do not fill"),
        (made(entry(shape=(2**62, 0), offsets=(0, 0)), b""), "'x' has an impossible shape"),
        (made(entry(shape=(1,) * 40, offsets=(0, 4))), "'x' has an impossible shape"),
        (made(entry(offsets=(0, 8, 9))), "'x' has an impossible shape or offsets"),
        (made(entry(offsets=(4, 12)), bytes(12)), "'x' begins at byte 4, not at 0"),
        (made(entry(), bytes(4)), "arrays of 8 bytes in 4"),
        (made(entry(), bytes(12)), "arrays of 8 bytes in 12"),
        (pickle.dumps({"x": print}), "a header of"),
        (archive(), "a header of"),
        (b"\x93NUMPY\x01\x00v\x00{'descr': '|O', 'shape': (1,)}", "a header of"),
    ),
)
def test_what_is_no_safetensors_file_is_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        open_tensors(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: cannot be read as safetensors (") and "\n" not in line
    assert message in line


def test_what_is_no_regular_file_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "device").symlink_to("/dev/zero")
    (tmp_path / "folder").mkdir()
    for name, message in (
        ("pipe", "no regular file"),
        ("device", "no regular file"),
        ("folder", "a directory is in its place"),
        ("missing", "No such file"),
    ):
        with pytest.raises(InputError, match=message):
            open_tensors(tmp_path / name)
