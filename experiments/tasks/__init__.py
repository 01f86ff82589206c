"""What is measured on real data, by kind of task: how files are made, and with which flags."""

from experiments.tasks.answers import ANSWERS
from experiments.tasks.labels import LABELS
from experiments.tasks.record import Measured
from experiments.tasks.running import RUNNING
from experiments.tasks.speech import SPEECH

MEASURED: dict[str, Measured] = ANSWERS | LABELS | RUNNING | SPEECH
