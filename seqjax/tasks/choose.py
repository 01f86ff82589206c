"""From a configuration to its task."""

from seqjax.config import Config
from seqjax.tasks.classify import Classify
from seqjax.tasks.ctc import FramesToText
from seqjax.tasks.language_model import LanguageModeling
from seqjax.tasks.tag import Tag
from seqjax.tasks.task import Task
from seqjax.tasks.text_to_text import TextToText


def build_task(config: Config) -> Task:
    """Returns what `config` names."""
    match config.task:
        case "transcribe" | "describe" if config.model.decoder == "ctc":
            return FramesToText(config)
        case "text-to-text" | "transcribe" | "describe":
            return TextToText(config)
        case "language-model":
            return LanguageModeling(config)
        case "classify":
            return Classify(config)
        case "tag":
            return Tag(config)
