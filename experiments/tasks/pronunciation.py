"""Spelling to phones: CMUdict."""

import gzip
import re
from functools import partial
from pathlib import Path

from experiments.tasks.record import Measured


def pronunciations(data: Path, work: Path, *, stress: bool) -> None:
    """Every listed pronunciation of a word is a line; without stress, those that differ in nothing
    else are one."""
    folder = data / "cmudict"
    for name, path in (("train", "train.tsv.gz"), ("valid", "dev.tsv"), ("test", "test.tsv")):
        opened = gzip.open if path.endswith(".gz") else open
        with opened(folder / path, "rt", encoding="utf-8") as file:
            lines = file.read().splitlines()
        if not stress:
            pairs = (line.split("\t") for line in lines)
            lines = [f"{word}\t{re.sub('[012]', '', phones)}" for word, phones in pairs]
        text = "".join(f"{line}\n" for line in dict.fromkeys(lines))
        (work / f"{name}.txt").write_text(text, encoding="utf-8")


_ALIGNED = (
    "--model.decoder aligned --data.target-tokens words --data.min-count 3 --data.max-source 24 "
    "--data.batch-size 128 --data.buckets 3 --model.encoder-layers 2 --epochs 8 "
    "--optimizer.schedule cosine --optimizer.average-decay 0.999 --validation.every 1500 "
    "--validation.metric exact_match"
)
_PUBLISHED = {
    "exact_match": "76.45 3 layers, 67.36 one direction: WER 23.55, 32.64 (Yao & Zweig 2015), the "
    "old split",
    "token_error_rate": "5.45 3 layers, 8.22 one direction (Yao & Zweig 2015), the old split",
}
_LOOKING, _READING = (
    "two BiLSTM layers, attention, LSTM",
    "two BiLSTM layers over aligned letters, no decoder",
)
_UNSTRESSED = {
    "pronunciation": (_LOOKING, "--preset short"),
    "pronunciation-wide": (
        f"{_LOOKING}; embeddings from a spread of 1, 8 epochs",
        "--preset short --epochs 8 --model.embedding-std 1",
    ),
    "pronunciation-aligned": (_READING, _ALIGNED),
    "pronunciation-lexicon": (
        "IBM Model 1 letter for letter and a 5-gram",
        "--model.kind lexicon --data.target-tokens words",
    ),
}
PRONUNCIATION = {
    name: Measured(
        "CMUdict, no stress, 12,568 test words",
        model,
        partial(pronunciations, stress=False),
        flags,
        _PUBLISHED,
    )
    for name, (model, flags) in _UNSTRESSED.items()
} | {
    "pronunciation-aligned-stress": Measured(
        "CMUdict, stress kept, 12,568 test words",
        _READING,
        partial(pronunciations, stress=True),
        _ALIGNED,
        dict.fromkeys(_PUBLISHED, ""),
    ),
}
