"""Dialogues: what was said so far in, what is said next out."""

import gzip
from pathlib import Path

from experiments.tasks.record import Measured


def dialogues(data: Path, work: Path) -> None:
    """Dialog bAbI, task 1 (Bordes et al., 2017): the API calls of a restaurant."""
    for name, part in (("train", "trn"), ("valid", "dev"), ("test", "tst")):
        path = data / "dialog_babi" / f"task1_{part}.tsv.gz"
        with gzip.open(path, "rt", encoding="utf-8") as file:
            (work / f"{name}.txt").write_text(file.read(), encoding="utf-8")


_DATA, _PUBLISHED = (
    "dialog bAbI, task 1, 1,000 dialogues",
    {
        "response_accuracy": "100 seq2seq (Madotto et al. 2018), 99.9 memory networks that "
        "choose among answers (Bordes & Weston 2017); figures not looked up again",
        "dialogue_accuracy": "",
    },
)
_READ = (
    "--data.source-tokens words --data.target-tokens words --data.batch-size 16 --data.buckets 2"
)
_LEARNT = (
    "--model.embedding-size 64 --model.hidden-size 128 --model.embedding-std 1 --model.dropout 0 "
    "--optimizer.learning-rate 3e-3 --optimizer.schedule cosine --optimizer.warmup-steps 100 "
    "--epochs 8 --validation.examples 200 --validation.dialogues --decode.method greedy"
)
DIALOGUE = {
    "dialogue": Measured(
        _DATA,
        "BiLSTM, attention, decoder that copies",
        dialogues,
        f"{_READ} --model.copying {_LEARNT}",
        _PUBLISHED,
    ),
    "dialogue-written": Measured(
        _DATA,
        "the same, which cannot copy",
        dialogues,
        f"{_READ} {_LEARNT}",
        _PUBLISHED,
    ),
    "dialogue-usual": Measured(
        _DATA,
        "what was usually said after the same turns",
        dialogues,
        "--model.kind usual --data.source-tokens words --data.target-tokens words "
        "--validation.dialogues",
        _PUBLISHED,
    ),
}
