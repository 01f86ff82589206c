"""What can be said on the command line: one frozen dataclass for each command.

The string below a field is its help. `train` takes the fields of `Config` itself as flags.
"""

from seqjax.cli.flags.answering import AverageFlags as AverageFlags
from seqjax.cli.flags.answering import DecodeFlags as DecodeFlags
from seqjax.cli.flags.answering import EvaluateFlags as EvaluateFlags
from seqjax.cli.flags.answering import FeaturesFlags as FeaturesFlags
from seqjax.cli.flags.answering import GenerateFlags as GenerateFlags
from seqjax.cli.flags.answering import PredictFlags as PredictFlags
from seqjax.cli.flags.checking import BenchFlags as BenchFlags
from seqjax.cli.flags.checking import DoctorFlags as DoctorFlags
from seqjax.cli.flags.inspecting import ExplainFlags as ExplainFlags
from seqjax.cli.flags.inspecting import InspectFlags as InspectFlags
from seqjax.cli.flags.inspecting import Inspection as Inspection
from seqjax.cli.flags.inspecting import inspect_flags as inspect_flags
from seqjax.cli.flags.processes import ProcessFlags as ProcessFlags
from seqjax.cli.flags.searching import BesideFlags as BesideFlags
from seqjax.cli.flags.searching import SearchFlags as SearchFlags
from seqjax.cli.flags.searching import decode_config as decode_config
from seqjax.cli.flags.training import TrainFlags as TrainFlags
from seqjax.cli.flags.training import train_flags as train_flags
