"""What a training exchanges on 1 to 256 devices, and the step time that it predicts.

    seqjax bench scaling [--json]

The real training step of a preset is compiled, not run, for virtual devices of the CPU, each in a
process of its own, with as many rows for each device as the preset has in a batch (weak scaling).
The exchanges are read from the compiled program. `of_gradient` is what is all-reduced over the
bytes of the gradient, which are 4 for each weight: 1 if every gradient is exchanged once and
nothing else is.

A step is predicted to take what it computes, which is stated and not measured (`COMPUTE_S`), and
then what it exchanges, none of it hidden behind computing: in rings, bytes over bandwidth, and a
latency for every time that a device waits for its neighbour.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks.collectives import Collective
from benchmarks.timing import in_turn_processes

PRESETS = ("sentences", "docs")
DEVICES = (1, 2, 4, 8, 16, 32, 64, 128, 256)
COMPUTE_S = 0.020
"""Seconds that a device is said to compute in a step. With another figure, add the difference."""


class Interconnect(NamedTuple):
    """What devices are joined by.

    Attributes:
      name: As makers call it.
      bandwidth: Bytes a second that a device sends to its neighbour in a ring.
      latency: Seconds from a device to the next; not from the maker, but what such networks take.
      most: Devices that it joins; beyond, the next one in the list takes over.
      source: Where the bandwidth is from.
    """

    name: str
    bandwidth: float
    latency: float
    most: int
    source: str


INTERCONNECTS = (
    Interconnect(
        "NVLink 4 (H100, 8 a node)",
        450e9,
        2e-6,
        8,
        "NVIDIA H100 datasheet: 900 GB/s, both directions together",
    ),
    Interconnect(
        "InfiniBand NDR, 400 Gb/s a device",
        50e9,
        5e-6,
        1 << 30,
        "NVIDIA DGX H100 user guide: eight ConnectX-7 of 400 Gb/s, one for each GPU",
    ),
    Interconnect("100 GbE a device", 12.5e9, 30e-6, 1 << 30, "100e9 bits a second, by its name"),
    Interconnect(
        "TPU v5e ICI",
        100e9,
        1e-6,
        256,
        "Google Cloud, TPU v5e: 400 GB/s a chip, both directions together, four links: two of "
        "them in a ring",
    ),
)


def measurements(
    *, presets: Sequence[str] = PRESETS, devices: Sequence[int] = DEVICES
) -> Iterator[dict[str, Any]]:
    """Yields a row for each preset and number of devices, all of them on the mesh's `data`."""
    for preset in presets:
        for count in devices:
            said = in_turn_processes("benchmarks.scaling_step", {"step": (preset, count, 1)}, 1)
            yield row_of(preset, count, said["step"][0])


def row_of(preset: str, devices: int, step: dict[str, Any]) -> dict[str, Any]:
    """Returns what is said of a step that was compiled for so many devices."""
    found = [Collective(**collective) for collective in step["collectives"]]
    reduced = sum(one.bytes for one in found if one.kind == "all-reduce")
    return {
        "case": preset,
        "devices": devices,
        "rows": step["rows"],
        "gradient_bytes": step["gradient_bytes"],
        "collectives": {
            f"{one.kind} among {one.group}": {"count": one.count, "bytes": one.bytes}
            for one in found
        },
        "moved_bytes": round(sum(one.moved for one in found)),
        "of_gradient": round(reduced / step["gradient_bytes"], 3),
        "compute_s": COMPUTE_S,
        "step_s": {
            wire.name: COMPUTE_S + exchange_seconds(found, wire)
            for wire in INTERCONNECTS
            if devices <= wire.most
        },
    }


def exchange_seconds(found: Sequence[Collective], wire: Interconnect) -> float:
    """Returns how long the exchanges of a step take, one after the other, in rings.

    An all-reduce of b bytes among n devices is 2 (n - 1) rounds of b / n bytes.

    >>> wire = Interconnect("a wire", 1e9, 1e-6, 8, "")
    >>> round(exchange_seconds([Collective("all-reduce", 4, 1, 2_000_000)], wire), 6)
    0.003006
    """
    return sum(one.moved / wire.bandwidth + one.hops * wire.latency for one in found)


def line_of(row: dict[str, Any]) -> str:
    """Returns a row as lines of a table."""
    count = sum(one["count"] for one in row["collectives"].values())
    steps = "  ".join(
        f"{name}: {1e3 * seconds:.1f} ms ({100 * row['compute_s'] / seconds:.0f} %)"
        for name, seconds in row["step_s"].items()
    )
    return (
        f"{row['case']:<10} {row['devices']:>4} devices  {row['rows']:>6} rows  {count:>4} "
        f"exchanges  {row['moved_bytes'] / 1e6:>7.1f} MB sent by each  "
        f"{row['of_gradient']:.2f} of the gradient's {row['gradient_bytes'] / 1e6:.1f} MB\n"
        f"{'':<10} {steps}"
    )
