"""Commands and the actions that they ask for: SCAN (Lake and Baroni, 2018)."""

import gzip
import random
from functools import partial
from pathlib import Path

from experiments.tasks.record import Measured


def commands(data: Path, work: Path, *, split: str) -> None:
    """A split of SCAN; a tenth of its training lines, shuffled, validates."""
    train, test = (_lines(data / "scan" / f"{split}_{part}.tsv.gz") for part in ("train", "test"))
    random.Random(0).shuffle(train)
    cut = round(0.9 * len(train))
    for name, part in (("train", train[:cut]), ("valid", train[cut:]), ("test", test)):
        (work / f"{name}.txt").write_text("".join(part), encoding="utf-8")


def _lines(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") as file:
        return file.readlines()


_PUBLISHED = {
    "simple": "99.8 (Lake and Baroni 2018); in reruns 93.8–99.6",
    "length": "13.8, 20.8 the best found (Lake and Baroni 2018); in reruns 8.7–13.5",
    "jump": "0.08, 1.2 the best found (Lake and Baroni 2018); in reruns 0–0.3",
    "turn-left": "90.0, 90.3 the best found (Lake and Baroni 2018); in reruns 45–93",
}
"""Reruns are the same networks with other seeds: the logs of github.com/vesteinn/SCAN."""
_FILES = {"jump": "addprim_jump", "turn-left": "addprim_turn_left"}
_DEEP = (
    "--model.attention none --model.direction forward --model.encoder-layers 2 "
    "--model.decoder-layers 2 --model.dropout 0.5"
)
_MODELS = {
    "": ("seq2seq with attention", "--preset commands"),
    "-wide": (
        "seq2seq with attention, embeddings from a spread of 1",
        "--preset commands --model.embedding-std 1",
    ),
    "-deep": (
        "two layers of one direction, half dropped, without attention",
        f"--preset commands {_DEEP}",
    ),
    "-single": (
        "the same, a command an update and half of all actions as the model said them, as was "
        "published",
        f"--preset commands {_DEEP} --model.embedding-size 200 --model.embedding-std 1 "
        "--objective.scheduled-sampling 0.5 --data.batch-size 1 --steps 100000 "
        "--optimizer.schedule constant --optimizer.warmup-steps 0 --optimizer.learning-rate 1e-3 "
        "--optimizer.clip-norm 5 --optimizer.average-decay 0 --validation.metric loss "
        "--validation.every 10000 --validation.patience 0",
    ),
    "-lexicon": (
        "IBM Model 1 word for word and a 5-gram",
        "--model.kind lexicon --data.source-tokens words --data.target-tokens words",
    ),
    "-plain": ("seq2seq without attention", "--preset commands --model.attention none"),
}
COMMANDS = {
    f"commands-{split}{kind}": Measured(
        f"SCAN, {split}",
        model,
        partial(commands, split=_FILES.get(split, split)),
        flags,
        {"exact_match": published},
    )
    for split, published in _PUBLISHED.items()
    for kind, (model, flags) in _MODELS.items()
}
