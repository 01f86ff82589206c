"""Splits made in a test, and files of them."""

import gzip

from seqjax.config import DataConfig
from seqjax.survey.corpus import Split
from seqjax.survey.pairs import survey_pairs
from seqjax.survey.running import survey_text

CHARS = DataConfig(buckets=1)  # to plan more takes longer than all the rest
WORDS = DataConfig(source_tokens="words", target_tokens="words", buckets=1)


def split(name, *pairs):
    """A split of `source|target` texts, pair n on line n."""
    sources, targets = zip(*(pair.split("|") for pair in pairs), strict=True)
    numbers = list(range(1, len(pairs) + 1))
    return Split(name, (f"{name}.tsv",), list(sources), list(targets), numbers, [], [])


def lines(name, *texts):
    """A split of a running text."""
    numbers = list(range(1, len(texts) + 1))
    return Split(name, (f"{name}.txt",), [], list(texts), numbers, [], [])


def splits(train, valid=None, test=None, make=split):
    given = {"train": train, "valid": valid, "test": test}
    return {name: make(name, *texts) for name, texts in given.items() if texts}


def findings(survey, code):
    return [finding for finding in survey.findings if finding.code == code]


def found(corpus, code, data=CHARS):
    """The one finding of a code that a survey of pairs comes to."""
    (finding,) = findings(survey_pairs(corpus, data), code)
    return finding


def found_in_text(corpus, code, data=WORDS):
    return findings(survey_text(corpus, data), code)


def where(finding):
    return [(place.path, place.line) for place in finding.places]


def write(path, content):
    raw = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(raw) if path.suffix == ".gz" else raw)
    return str(path)
