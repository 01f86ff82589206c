"""Several devices learn what one learns. Each case runs in a process that has 8 virtual ones."""

import functools

import jax
import numpy as np
import pytest
from train import meshes

from seqjax.build.mesh import build_layout, mesh_lines
from seqjax.build.tables import vocabulary_axis
from seqjax.config import Config, DataConfig, MeshConfig, ModelConfig
from seqjax.errors import InputError
from seqjax.train.mesh import gather, make_mesh, put

SIDES = ((1, 1), (8, 1), (2, 4))
CASES = [
    pytest.param("seq2seq", "fused", SIDES[::2]),
    *(
        pytest.param(task, way, SIDES, marks=pytest.mark.slow)
        for task in ("seq2seq", "language-model")
        for way in ("fused", "scan")
    ),
]


@functools.cache
def trained(task, way, meshes_):
    return dict(zip(meshes_, meshes.trained(task, way, meshes_), strict=True))


@pytest.mark.parametrize(("task", "way", "sides"), CASES)
def test_a_mesh_learns_what_one_device_learns(task, way, sides):
    found = trained(task, way, sides)
    for side in sides[1:]:
        np.testing.assert_allclose(found[side]["losses"], found[1, 1]["losses"], rtol=1e-5)
        for name, values in found[1, 1]["state"].items():
            np.testing.assert_allclose(found[side]["state"][name], values, atol=1e-5, err_msg=name)


@pytest.mark.parametrize(("task", "way", "sides"), CASES)
def test_vocabularies_are_dealt_with_all_that_belongs_to_them(task, way, sides):
    """On 2 x 4 devices each has 8 of the 32 tokens, in weights, average and both moments."""
    lies = trained(task, way, sides)[2, 4]["lies"]
    dealt = {name for name, (whole, own) in lies.items() if whole != own}
    tables = [name for name in lies if name.endswith(("['embedding']", "['output_bias']"))]
    rows = [name for name in lies if name.startswith(".memory")]
    assert len(tables) == (3 if task == "seq2seq" else 2) * 4
    assert dealt == {*tables, *rows}
    assert all(lies[name][1][0] == lies[name][0][0] // 4 for name in tables)
    assert all(lies[name][1][0] == 8 for name in rows)
    assert bool(rows) == (task == "language-model")


def test_output_layers_of_their_own_are_dealt_by_vocabulary():
    assert vocabulary_axis(("decoder", "output_map", "kernel")) == 1
    assert vocabulary_axis(("output_map", "bias")) == 0
    assert vocabulary_axis(("decoder", "cells_0", "input_kernel")) is None


def on(mesh, rows=12, **model):
    return Config(mesh=mesh, data=DataConfig(batch_size=rows), model=ModelConfig(**model))


@pytest.fixture
def eight(monkeypatch):
    """A process that seems to have 8 devices."""
    monkeypatch.setattr(jax, "devices", lambda: [None] * 8)


@pytest.mark.parametrize(
    ("config", "says"),
    (
        (on(MeshConfig(data=4, model=4)), "--mesh.data 4 --mesh.model 4 needs 16 devices, JAX has"),
        (on(MeshConfig(data=8)), "--data.batch-size 12 cannot be dealt evenly to 8 devices"),
        (on(MeshConfig(data=2), unroll="cudnn"), "cudnn knows one device, the mesh has 2"),
    ),
)
@pytest.mark.usefixtures("eight")
def test_what_cannot_be_dealt_is_refused_with_its_numbers(config, says):
    with pytest.raises(InputError, match=says):
        build_layout(config)


@pytest.mark.usefixtures("eight")
def test_some_processes_without_devices_are_refused(monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: 4)
    with pytest.raises(InputError, match="leaves out some of the 8 devices of 4 processes"):
        build_layout(on(MeshConfig(data=2)))
    with pytest.raises(InputError, match="--data.batch-size 12 cannot be dealt evenly to 8"):
        build_layout(on(MeshConfig()))


@pytest.mark.parametrize("number", (0, -1))
def test_a_mesh_has_sides(number):
    with pytest.raises(ValueError, match=r"mesh\.data must be at least 1"):
        MeshConfig(data=number)
    with pytest.raises(ValueError, match=r"mesh\.model must be at least 1"):
        MeshConfig(model=number)


def test_by_default_as_many_devices_as_divide_the_rows():
    def many(rows, config, devices):
        from seqjax.build import mesh

        return mesh._sizes(config, rows, devices)

    assert many(128, MeshConfig(), 8) == (8, 1)
    assert many(128, MeshConfig(), 6) == (4, 1)
    assert many(128, MeshConfig(model=2), 7) == (2, 2)
    assert many(127, MeshConfig(), 8) == (1, 1)


def test_one_device_is_not_worth_a_word_nor_a_copy():
    layout = build_layout(on(MeshConfig()))
    state = {"weights": put(np.ones(3, np.float32), layout.everywhere)}
    assert layout.mesh.size == 1 and mesh_lines(layout, state) == []
    assert gather(state)["weights"].unsafe_buffer_pointer() == (
        state["weights"].unsafe_buffer_pointer()
    )
    with pytest.raises(ValueError, match="devices must be at least 1 x 99"):
        make_mesh(1, 99)
