"""What is measured on real data, by kind of task: how files are made, and with which flags."""

from experiments.tasks.answers import ANSWERS
from experiments.tasks.commands import COMMANDS
from experiments.tasks.dialogue import DIALOGUE
from experiments.tasks.labels import LABELS
from experiments.tasks.music import MUSIC
from experiments.tasks.probes import PROBES as PROBES
from experiments.tasks.pronunciation import PRONUNCIATION
from experiments.tasks.questions import QUESTIONS
from experiments.tasks.record import Measured
from experiments.tasks.running import RUNNING
from experiments.tasks.speech import SPEECH
from experiments.tasks.strings import STRINGS_OF_DIGITS
from experiments.tasks.subjects import SUBJECTS
from experiments.tasks.toys import TOYS

MEASURED: dict[str, Measured] = {
    **ANSWERS,
    **COMMANDS,
    **DIALOGUE,
    **LABELS,
    **MUSIC,
    **PRONUNCIATION,
    **QUESTIONS,
    **RUNNING,
    **SPEECH,
    **STRINGS_OF_DIGITS,
    **SUBJECTS,
    **TOYS,
}
