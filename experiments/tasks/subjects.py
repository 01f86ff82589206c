"""Summaries: the subjects of e-mails, AESLC (Zhang and Tetreault, 2019)."""

import gzip
import re
from pathlib import Path

from experiments.tasks.record import Measured

_TOKEN = re.compile(r"\w+|[^\w\s]")


def subjects(data: Path, work: Path) -> None:
    """Bodies and subjects, lower-cased, words and signs apart."""
    for name, part in (("train", "train"), ("valid", "dev"), ("test", "test")):
        path = data / "aeslc" / f"{part}.tsv.gz"
        with gzip.open(path, "rt", encoding="utf-8") as file:
            pairs = [line.rstrip("\n").split("\t") for line in file]
        lines = ["\t".join(" ".join(_cut(side)) for side in pair) for pair in pairs]
        text = "".join(f"{line}\n" for line in lines if all(line.split("\t")))
        (work / f"{name}.txt").write_text(text, encoding="utf-8")


def _cut(text: str) -> list[str]:
    return _TOKEN.findall(text.replace("\\n", " ").lower())


_READ = (
    "--data.source-tokens words --data.target-tokens words --data.min-count 5 "
    "--data.max-source 100 --data.long-sources cut --data.max-target 20 --data.batch-size 32 "
    "--data.buckets 3 --model.embedding-size 96 --model.hidden-size 128 --model.dropout 0.3"
)
_LEARNT = (
    "--epochs 6 --optimizer.schedule cosine --optimizer.average-decay 0.99 --validation.rouge "
    "--decode.no-repeat-ngram 2 --decode.max-length 20"
)
_COPYING = f"{_READ} --model.copying {_LEARNT}"
_PUBLISHED = {
    "rouge_1": "23.67 extractor and abstractor, reinforced (Zhang & Tetreault 2019)",
    "rouge_2": "10.29",
    "rouge_l": "23.44",
    "said_before": "",
}
SUBJECTS = {
    "subjects": Measured(
        "AESLC, subjects of e-mails", "pointer-generator", subjects, _COPYING, _PUBLISHED
    ),
    "subjects-written": Measured(
        "AESLC, subjects of e-mails",
        "the same, which cannot copy",
        subjects,
        f"{_READ} {_LEARNT}",
        _PUBLISHED,
    ),
    "subjects-coverage": Measured(
        "AESLC, subjects of e-mails",
        "pointer-generator with coverage",
        subjects,
        f"{_COPYING} --model.coverage --objective.coverage-weight 1",
        _PUBLISHED,
    ),
    "subjects-copy": Measured(
        "AESLC, subjects of e-mails",
        "the whole e-mail",
        subjects,
        "--model.kind copy --data.source-tokens words --data.target-tokens words "
        "--validation.rouge",
        _PUBLISHED,
    ),
}
