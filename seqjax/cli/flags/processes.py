"""Flags of processes that train together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from seqjax.cli.flags.check import at_least_one


@dataclass(frozen=True)
class ProcessFlags:
    """Processes that train together, on one host or several; docs/scaling.md has how to start them.

    With none of these, JAX is asked to find the others where SLURM, Open MPI, Kubernetes or a TPU
    pod has started several."""

    coordinator: str | None = None
    """HOST:PORT of the process with index 0, which listens there. The same for all."""
    count: int | None = None
    """How many processes there are."""
    index: int | None = None
    """Which of them this is, from 0."""
    detect: Literal["auto", "always", "never"] = "auto"
    """Whether JAX is asked to find the others: where the environment shows a cluster, always (a TPU
    virtual machine shows nothing to us), or never."""
    wait: int = 300
    """Seconds to wait for the others at the start."""
    timeout: int = 30
    """Seconds without a sign of life after which a process counts as gone, and all others stop."""

    def __post_init__(self):
        given = [self.coordinator, self.count, self.index]
        if any(value is None for value in given) and any(value is not None for value in given):
            raise ValueError("coordinator, count and index must be given together or not at all")
        if self.coordinator is not None and not re.fullmatch(r"\S+:\d{1,5}", self.coordinator):
            raise ValueError(f"coordinator must be HOST:PORT, got {self.coordinator!r}")
        if self.count is not None and self.index is not None:
            if self.count < 1:
                raise ValueError(f"count must be at least 1, got {self.count}")
            if not 0 <= self.index < self.count:
                raise ValueError(f"index must be in [0, {self.count}), got {self.index}")
        for name in ("wait", "timeout"):
            at_least_one(name, getattr(self, name))

    def asks(self, environment: Mapping[str, str]) -> bool:
        """Returns whether JAX shall find the others, where no coordinator is given."""
        match self.detect:
            case "always":
                return True
            case "never":
                return False
        return (
            any(
                int(environment[name]) > 1 if counts else "," in environment[name]
                for needs, name, counts in _CLUSTERS
                if all(variable in environment for variable in (*needs, name))
            )
            or {"KUBERNETES_SERVICE_HOST", "JOB_COMPLETION_INDEX"} <= environment.keys()
        )


_CLUSTERS = (
    (("SLURM_JOB_ID", "SLURM_STEP_NODELIST", "SLURM_PROCID"), "SLURM_STEP_NUM_TASKS", True),
    (("OMPI_COMM_WORLD_RANK",), "OMPI_COMM_WORLD_SIZE", True),
    ((), "TPU_WORKER_HOSTNAMES", False),
)
"""What srun, mpirun and a TPU pod set: variables that are there, and one that holds how many
processes there are, or lists their hosts."""
