"""From a configuration to its task, and to its baseline if it names one."""

from typing import Any

from seqjax.config import Config
from seqjax.tasks.aligned import Aligned
from seqjax.tasks.bag_of_words import BagOfWords
from seqjax.tasks.baseline import Baseline
from seqjax.tasks.chord_counts import CountedChords
from seqjax.tasks.classify import Classify
from seqjax.tasks.counted import NGrams
from seqjax.tasks.ctc import FramesToText
from seqjax.tasks.language_model import LanguageModeling
from seqjax.tasks.music import Music
from seqjax.tasks.plain import Majority, Plain
from seqjax.tasks.regress import Regress
from seqjax.tasks.tag import Tag
from seqjax.tasks.task import Task
from seqjax.tasks.text_to_text import TextToText
from seqjax.tasks.usual_number import UsualNumber
from seqjax.tasks.usual_tags import UsualTags
from seqjax.tasks.word_for_word import WordForWord


def build_task(config: Config) -> Task:
    """Returns what `config` names."""
    match config.task:
        case "transcribe" | "describe" if config.model.decoder == "ctc":
            return FramesToText(config)
        case "text-to-text" if config.model.decoder == "aligned":
            return Aligned(config)
        case "text-to-text" | "transcribe" | "describe":
            return TextToText(config)
        case "language-model":
            return LanguageModeling(config)
        case "classify":
            return Classify(config)
        case "tag":
            return Tag(config)
        case "music":
            return Music(config)
        case "regress":
            return Regress(config)


def build_baseline(config: Config) -> Baseline:
    """Returns what `config` names; its `model.kind` is not `network`."""
    task: Any = build_task(config)
    match config.model.kind:
        case "network":
            raise ValueError("model.kind must be that of a baseline, got network")
        case "ngram":
            return NGrams(task)
        case "lexicon":
            return WordForWord(task)
        case "bag_of_words":
            return BagOfWords(task)
        case "majority":
            return Majority(task)
        case "markov":
            return CountedChords(task, "markov")
        case "usual" if config.task == "regress":
            return UsualNumber(task)
        case "usual" if config.task == "tag":
            return UsualTags(task)
        case "usual" if config.task == "music":
            return CountedChords(task, "usual")
        case "rules" | "usual" | "copy" as kind:
            return Plain(task, kind)
