"""When other processes are looked for, and what a user can get wrong about them."""

import pytest

from seqjax.cli import flags
from seqjax.errors import InputError

SLURM = {
    "SLURM_JOB_ID": "7",
    "SLURM_STEP_NODELIST": "node[1-2]",
    "SLURM_PROCID": "0",
    "SLURM_STEP_NUM_TASKS": "2",
}


@pytest.mark.parametrize(
    ("environment", "asks"),
    (
        ({}, False),
        (SLURM, True),
        (SLURM | {"SLURM_STEP_NUM_TASKS": "1"}, False),
        ({"SLURM_JOB_ID": "7", "SLURM_NTASKS": "8"}, False),  # in a batch script, outside of srun
        ({"OMPI_COMM_WORLD_RANK": "1", "OMPI_COMM_WORLD_SIZE": "4"}, True),
        ({"OMPI_COMM_WORLD_RANK": "0", "OMPI_COMM_WORLD_SIZE": "1"}, False),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, False),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1", "JOB_COMPLETION_INDEX": "0"}, True),
        ({"TPU_WORKER_HOSTNAMES": "a,b"}, True),
        ({"TPU_WORKER_HOSTNAMES": "localhost"}, False),
    ),
)
def test_others_are_looked_for_where_a_cluster_shows(environment, asks):
    assert flags.ProcessFlags().asks(environment) == asks
    assert flags.ProcessFlags(detect="always").asks(environment)
    assert not flags.ProcessFlags(detect="never").asks(environment)


@pytest.mark.parametrize(
    ("words", "says"),
    (
        ("--processes.index 1", "coordinator, count and index must be given together"),
        (
            "--processes.coordinator here --processes.count 2 --processes.index 1",
            "coordinator must be HOST:PORT, got 'here'",
        ),
        (
            "--processes.coordinator a:1 --processes.count 2 --processes.index 2",
            r"index must be in \[0, 2\), got 2",
        ),
        ("--processes.timeout 0", "timeout must be at least 1, got 0"),
    ),
)
def test_processes_that_cannot_be_are_refused_in_one_line(words, says):
    with pytest.raises(InputError, match=says):
        flags.train_flags(words.split())


def test_processes_are_read_from_the_command_line():
    words = "--processes.coordinator a:1 --processes.count 2 --processes.index 1 --mesh.model 2"
    found = flags.train_flags(words.split())
    assert (found.processes.coordinator, found.processes.index) == ("a:1", 1)
    assert found.settings.mesh.model == 2
