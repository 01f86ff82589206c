"""Flags of what looks at the installation and at its speed."""

import re
from dataclasses import dataclass

from seqjax.cli.flags.check import at_least_one


@dataclass(frozen=True)
class DoctorFlags:
    """Tells what this installation is made of and checks that it computes rightly."""

    json: bool = False
    """Print one JSON object."""


BENCHMARKS = (
    "recurrent",
    "seq2seq",
    "decode",
    "memory",
    "growth",
    "allocator",
    "scaling",
    "gpu",
    "host",
    "corpus",
    "ctc",
)


@dataclass(frozen=True)
class BenchFlags:
    """Times what is ours beside what is others', in turn. Run it from the source tree, on a machine
    that does nothing else."""

    benchmark: str
    """recurrent: one layer, forward and backward, beside PyTorch's and Flax's. seq2seq: a whole
    training step beside PyTorch's. decode: a trained run decodes a file, in batches and a line at a
    time. memory: what a training step takes. growth: time by length and by rows, and compilations.
    allocator: a whole training step, with scratch memory kept and given back. scaling: what a
    training exchanges on 1 to 256 devices, and the step time that predicts. gpu: on a GPU, whether
    all ways through time agree, one LSTM in three precisions, and one training. host: what data,
    dispatch and metrics add to a step. corpus: what 50 million tokens take of memory. ctc: the loss
    and its gradient beside optax's."""
    runs: int = 7
    """Times that each is measured; the median counts."""
    size: str | None = None
    """Batch, time and width of the layer (recurrent, gpu), as 64x50x512; by default several."""
    run: str | None = None
    """Directory of the trained run that decodes (decode)."""
    input: str | None = None
    """File with one source a line (decode)."""
    opennmt: tuple[str, ...] = ()
    """The Python that OpenNMT-py is installed for, and a model that it has trained, to be measured
    beside ours (decode)."""
    joeynmt: tuple[str, ...] = ()
    """The same for Joey NMT, with the directory of a training (decode)."""
    json: bool = False
    """Print one JSON object for each comparison."""

    def __post_init__(self):
        at_least_one("runs", self.runs)
        for name in ("run", "input", "opennmt", "joeynmt"):
            if self.benchmark != "decode" and getattr(self, name):
                raise ValueError(f"{name} must be left out of {self.benchmark}")
        if self.benchmark == "decode" and not (self.run and self.input):
            raise ValueError("run and input must be given for decode")
        for name in ("opennmt", "joeynmt"):
            given = getattr(self, name)
            if len(given) not in (0, 2):
                raise ValueError(f"{name} must be a Python and a model, got {' '.join(given)}")
        if self.benchmark not in BENCHMARKS:
            known = ", ".join(BENCHMARKS)
            raise ValueError(f"benchmark must be one of {known}, got {self.benchmark!r}")
        if self.size is not None and not re.fullmatch(r"[1-9]\d*x[1-9]\d*x[1-9]\d*", self.size):
            raise ValueError(f"size must be like 64x50x512, got {self.size!r}")
        if self.size is not None and self.benchmark not in ("recurrent", "gpu"):
            raise ValueError(f"size must be left out of {self.benchmark}, got {self.size!r}")

    @property
    def sizes(self) -> list[tuple[int, ...]]:
        """What `size` says; empty if it says nothing."""
        return [tuple(map(int, self.size.split("x")))] if self.size else []
