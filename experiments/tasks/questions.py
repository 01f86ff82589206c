"""Questions about a short story, answered by a word: bAbI (Weston et al., 2015)."""

import gzip
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from experiments.tasks.record import Measured

_NAMES = {
    "1": "single-supporting-fact",
    "2": "two-supporting-facts",
    "4": "two-arg-relations",
    "6": "yes-no-questions",
}


def questions(data: Path, work: Path, *, task: str, size: str) -> None:
    """Stories so far, then the question, and its answer; the last tenth of stories validates."""
    folder = data / "babi_qa" / "original"
    stem = f"qa{task}_{_NAMES[task]}"
    stories = list(_stories(folder / size / f"{stem}_train.txt"))
    cut = round(0.9 * len(stories))
    test = list(_stories(folder / "en-10k" / f"{stem}_test.txt"))
    for name, part in (("train", stories[:cut]), ("valid", stories[cut:]), ("test", test)):
        (work / f"{name}.txt").write_text(
            "".join(line for story in part for line in story), encoding="utf-8"
        )


def _stories(path: Path) -> Iterator[list[str]]:
    """Yields the examples of each story, questions left out of what later ones are told."""
    if path.exists():
        text = path.read_text(encoding="utf-8")
    else:
        with gzip.open(f"{path}.gz", "rt", encoding="utf-8") as file:
            text = file.read()
    told, examples = [], []
    for line in text.splitlines():
        number, said = line.lower().replace(".", " .").replace("?", " ?").split(" ", 1)
        if number == "1" and examples:
            yield examples
            told, examples = [], []
        if "\t" in said:
            question, answer, _ = said.split("\t")
            examples.append(f"{' '.join([*told, *question.split()])}\t{answer}\n")
        else:
            told += said.split()
    yield examples


_LSTM = {"1": "50", "2": "20", "4": "61", "6": "48"}
_KERAS = {"1": "100.0", "2": "50.0", "4": "62.9", "6": "50.7"}
_PUBLISHED = {
    task: f"LSTM {_LSTM[task]} (Weston et al. 2015), story and question read apart "
    f"{_KERAS[task]} (Keras)"
    for task in _NAMES
} | {"1-10k": "95 counts as solved"}
_DEEP = "--preset questions --epochs 20 --model.encoder-layers 2 --model.dropout 0"
_BAGS = "--task classify --model.kind bag_of_words --data.source-tokens words"


def _measured(name: str, model: str, flags: str) -> Measured:
    task, _, many = name.partition("-")
    return Measured(
        f"bAbI task {task}, {'10,000' if many else '1,000'} questions",
        model,
        partial(questions, task=task, size="en-10k" if many else "en-1k"),
        flags,
        {"accuracy": _PUBLISHED[name]},
    )


QUESTIONS = {
    **{
        f"questions-{name}": _measured(name, "BiLSTM, classifier", "--preset questions")
        for name in _NAMES
    },
    "questions-1-10k": _measured("1-10k", "two BiLSTM layers, classifier", _DEEP),
    **{
        f"questions-{name}-bags": _measured(
            name, "bags of words and characters, logistic regression", _BAGS
        )
        for name in _PUBLISHED
    },
}
