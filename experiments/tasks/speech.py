"""Recordings, for their texts."""

import csv
import tarfile
from pathlib import Path

from experiments.tasks.record import Measured


def digits(data: Path, work: Path) -> None:
    """The Free Spoken Digit Dataset: recordings 0 to 4 are tested, 5 to 8 validated."""
    with tarfile.open(data / "fsdd" / "recordings.tar.gz") as archive:
        archive.extractall(work, filter="data")
    with (data / "fsdd" / "index.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    for name, first, last in (("test", 0, 4), ("valid", 5, 8), ("train", 9, 49)):
        lines = [
            f"recordings/{row['file']}\t{row['digit']}\n"
            for row in rows
            if first <= int(row["index"]) <= last
        ]
        (work / f"{name}.txt").write_text("".join(lines), encoding="utf-8")


_FLAGS = (
    "--task transcribe --data.target-tokens words --data.max-source 400 --data.buckets 3 "
    "--data.batch-size 32 --model.embedding-size 64 --model.hidden-size 128 "
    "--model.encoder-layers 2 --model.pyramid --optimizer.schedule cosine "
    "--optimizer.warmup-steps 100 --optimizer.learning-rate 2e-3 --model.dropout 0.2 "
    "--data.mel-bands 40 --model.decoder attention --validation.metric exact_match"
)
_FSDD = "spoken digits (FSDD, recordings 0–4 of each speaker)"
_HOBBY = "96-99 (hobby projects, splits differ)"
SPEECH = {
    "digits": Measured(
        _FSDD, "listen, attend and spell", digits, _FLAGS + " --epochs 6", {"exact_match": _HOBBY}
    ),
    "digits-ctc": Measured(
        _FSDD,
        "CTC, no decoder",
        digits,
        _FLAGS + " --model.decoder ctc --epochs 10",
        {"exact_match": _HOBBY},
    ),
}
