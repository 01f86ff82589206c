"""What a command line puts beside the runs that answer."""

from seqjax.cli.flags import BesideFlags
from seqjax.data.lines import read_lines
from seqjax.errors import InputError
from seqjax.runs.together import Beside
from seqjax.runs.trained import Trained, load, load_network


def read_beside(flags: BesideFlags, runs: list[Trained]) -> Beside:
    """Returns what the flags name, read.

    Raises:
      InputError: If a file cannot be read, or a line of it is not what it should be.
    """
    lowercase = runs[0].config.data.lowercase
    forbidden = () if flags.forbid is None else tuple(read_phrases(flags.forbid, lowercase))
    return Beside(
        forbidden=forbidden,
        lexicon={} if flags.lexicon is None else _read_lexicon(flags.lexicon, lowercase),
        language_model=None if flags.language_model is None else load(flags.language_model),
        language_weight=flags.language_weight,
        consensus=flags.consensus,
        rerank=None if flags.rerank is None else load_network(flags.rerank),
        rerank_weight=flags.rerank_weight,
        keep=flags.keep,
    )


def read_phrases(path: str, lowercase: bool) -> list[str]:
    """Returns the lines of a file of words and phrases, empty ones refused."""
    phrases = list(read_lines(path))
    for number, phrase in enumerate(phrases, start=1):
        if not phrase.strip():
            raise InputError(
                f"{path}:{number}: the line is empty; write a word or phrase, or drop it"
            )
    return [phrase.lower() if lowercase else phrase for phrase in phrases]


def _read_lexicon(path: str, lowercase: bool) -> dict[str, str]:
    lexicon: dict[str, str] = {}
    for number, line in enumerate(read_lines(path), start=1):
        source, tab, target = (line.lower() if lowercase else line).partition("\t")
        if not (tab and source and target) or "\t" in target:
            raise InputError(
                f"{path}:{number}: a line must be a source token, a tab and a target token, got "
                f"{line!r}"
            )
        if lexicon.setdefault(source, target) != target:
            raise InputError(
                f"{path}:{number}: {source!r} is {lexicon[source]!r} further up; keep one of them"
            )
    return lexicon
