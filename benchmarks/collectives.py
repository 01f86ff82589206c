"""What the devices of a compiled program have to tell each other, read from the program's text.

XLA prints a compiled program as computations of named instructions. A collective inside the body of
a loop counts as often as the loop runs, which XLA writes down where it knows it.
"""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

KINDS = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute")
BYTES = {
    "pred": 1,
    "s8": 1,
    "u8": 1,
    "s16": 2,
    "u16": 2,
    "f16": 2,
    "bf16": 2,
    "s32": 4,
    "u32": 4,
    "f32": 4,
    "s64": 8,
    "u64": 8,
    "f64": 8,
}
_COMPUTATION = re.compile(r"^(?:ENTRY )?%?([\w.\-]+) (?:\([^\n]*)?\{$", re.MULTILINE)
_COLLECTIVE = re.compile(rf" = (.+?) ({'|'.join(KINDS)})(?:-start)?\(")
_WHILE = re.compile(r" while\(.*?body=%?([\w.\-]+)")
_CALLED = re.compile(r"(?:to_apply|calls|branch_computations|true_computation|false_computation)=")
_TIMES = re.compile(r'known_trip_count":\{"n":"(\d+)"')
_SHAPE = re.compile(r"(\w+)\[([\d,]*)\]")


class Collective(NamedTuple):
    """One kind of exchange in one group size.

    Attributes:
      kind: As XLA calls it.
      group: Devices that take part in each.
      count: How often a step does it.
      bytes: Of all results that a device gets from it in a step.
    """

    kind: str
    group: int
    count: int
    bytes: int

    @property
    def moved(self) -> float:
        """Bytes that a device sends in a ring: 2 (n - 1) / n of what is all-reduced, and (n - 1) /
        n of what is gathered; of a scattered sum n - 1 times what stays."""
        share = (self.group - 1) / self.group
        match self.kind:
            case "all-reduce":
                return 2 * share * self.bytes
            case "reduce-scatter":
                return (self.group - 1) * self.bytes
            case "collective-permute":
                return self.bytes
        return share * self.bytes

    @property
    def hops(self) -> int:
        """Times that a device waits for its neighbour."""
        if self.kind == "collective-permute":
            return self.count
        rounds = 2 if self.kind == "all-reduce" else 1
        return rounds * (self.group - 1) * self.count


def collectives(program: str, devices: int) -> list[Collective]:
    """Returns what a step exchanges, the most bytes first.

    Args:
      program: `compiled.as_text()`.
      devices: That it was compiled for.

    Raises:
      ValueError: If a loop with a collective in it does not say how often it runs.
    """
    bodies = _bodies(program)
    entry = next(name for name in bodies if f"ENTRY %{name} " in program)
    found: dict[tuple[str, int], list[int]] = {}
    for line, times in _lines(bodies, entry, 1):
        match = _COLLECTIVE.search(line)
        if match is None:
            continue
        size = sum(
            BYTES[kind] * math.prod(int(n) for n in shape.split(",") if n)
            for kind, shape in _SHAPE.findall(match[1])
        )
        group = _group(line, devices)
        if group > 1:
            total = found.setdefault((match[2], group), [0, 0])
            total[0] += times
            total[1] += times * size
    listed = [Collective(*key, *numbers) for key, numbers in found.items()]
    return sorted(listed, key=lambda collective: -collective.bytes)


def _bodies(program: str) -> dict[str, list[str]]:
    """Returns the lines of each computation."""
    bodies, name = {}, ""
    for line in program.splitlines():
        begun = _COMPUTATION.match(line)
        if begun:
            name = begun[1]
            bodies[name] = []
        elif name:
            bodies[name].append(line)
    return bodies


def _lines(bodies: dict[str, list[str]], name: str, times: int) -> Iterator[tuple[str, int]]:
    """Yields the lines that are run from a computation, and how often each is."""
    for line in bodies[name]:
        yield line, times
        loop = _WHILE.search(line)
        if loop:
            known = _TIMES.search(line)
            inside = list(_lines(bodies, loop[1], 1))
            if known is None and any(_COLLECTIVE.search(text) for text, _ in inside):
                raise ValueError(f"loop must say how often it runs, got {line.strip()[:80]}")
            often = int(known[1]) if known else 1
            yield from ((text, times * often * count) for text, count in inside)
        elif _CALLED.search(line) and not _COLLECTIVE.search(line):
            for called in re.findall(r"%([\w.\-]+)", line.split("metadata=")[0].split(")")[-1]):
                if called in bodies:
                    yield from _lines(bodies, called, times)


def _group(line: str, devices: int) -> int:
    """Returns how many devices take part: `{{0,1},{2,3}}`, or `[2,2]<=[4]`, or all of them."""
    listed = re.search(r"replica_groups=\{\{([\d,]*)\}", line)
    if listed:
        return len(listed[1].split(","))
    shaped = re.search(r"replica_groups=\[\d+,(\d+)\]", line)
    return int(shaped[1]) if shaped else devices
