"""From configuration to where a training lies on devices."""

import jax

from seqjax.build.tables import vocabulary_axis
from seqjax.config import Config, MeshConfig
from seqjax.errors import InputError
from seqjax.train.mesh import Layout, make_mesh


def build_layout(config: Config) -> Layout:
    """Returns the layout that `config.mesh` describes, on the devices that JAX has.

    Raises:
      InputError: If there are too few devices, some process would have none, rows cannot be dealt
        evenly, or a way through time knows one device only.
    """
    rows, devices = config.data.rows_multiple, len(jax.devices())
    data, model = _sizes(config.mesh, rows, devices)
    size = f"--mesh.data {data} --mesh.model {model}"
    if data * model > devices:
        raise InputError(f"{size} needs {data * model} devices, JAX has {devices}")
    if jax.process_count() > 1 and data * model < devices:
        raise InputError(
            f"{size} leaves out some of the {devices} devices of {jax.process_count()} processes; "
            f"use all of them, or start fewer processes"
        )
    if rows % data:
        flag = "batch-size" if config.data.batch_tokens is None else "batch-multiple"
        raise InputError(
            f"--data.{flag} {rows} cannot be dealt evenly to {data} devices; make it a "
            f"multiple of {data}, or give another --mesh.data"
        )
    if config.model.unroll == "cudnn" and data * model > 1:
        raise InputError(
            f"model.unroll cudnn knows one device, the mesh has {data * model}; leave it at auto, "
            f"or give --mesh.data 1"
        )
    return Layout(make_mesh(data, model), vocabulary_axis)


def mesh_lines(layout: Layout, params) -> list[str]:
    """Returns what is worth saying of a layout: nothing of a single device."""
    if layout.mesh.size == 1:
        return []
    data, model = layout.mesh.devices.shape
    lines = [f"mesh     {data} x {model} devices (data x model) in {jax.process_count()} processes"]
    whole = layout.whole_tables(params)
    if whole:
        lines.append(
            f"mesh     kept whole on each device, as {model} does not divide their vocabulary: "
            f"{', '.join(whole)}"
        )
    return lines


def _sizes(config: MeshConfig, rows: int, devices: int) -> tuple[int, int]:
    """Returns the mesh's sides; of a single process, only as many devices as divide the rows."""
    if config.data is not None:
        return config.data, config.model
    most = max(devices // config.model, 1)
    if jax.process_count() > 1:
        return most, config.model
    return max(count for count in range(1, most + 1) if rows % count == 0), config.model
