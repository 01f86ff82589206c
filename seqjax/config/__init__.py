"""Every setting of a run: frozen dataclasses, data only. Each field is a flag of the same name.

The string below a field is its help on the command line. `Config` checks itself when it is made, so
a configuration that exists is one that can run.
"""

from seqjax.config.data import DataConfig as DataConfig
from seqjax.config.decode import DecodeConfig as DecodeConfig
from seqjax.config.mesh import MeshConfig as MeshConfig
from seqjax.config.model import ModelConfig as ModelConfig
from seqjax.config.objective import ObjectiveConfig as ObjectiveConfig
from seqjax.config.optimizer import OptimizerConfig as OptimizerConfig
from seqjax.config.run import Config as Config
from seqjax.config.run import differing_fields as differing_fields
from seqjax.config.validation import ValidationConfig as ValidationConfig
