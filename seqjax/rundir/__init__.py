"""What a run leaves on disk, and how it is read back. Nothing here needs JAX."""

from seqjax.rundir.config_file import read_config as read_config
from seqjax.rundir.config_file import write_config as write_config
from seqjax.rundir.directory import RunDir as RunDir
from seqjax.rundir.directory import create_run as create_run
from seqjax.rundir.directory import open_run as open_run
from seqjax.rundir.lock import locked as locked
from seqjax.rundir.weights import load_weights as load_weights
from seqjax.rundir.weights import parameters_sha256 as parameters_sha256
from seqjax.rundir.weights import save_weights as save_weights
