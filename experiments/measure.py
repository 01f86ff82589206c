"""Trains a task on real data, measures it once on its test set, and appends a row to `results/`.

    SEQJAX_DATA=... python -m experiments.measure sentiment [--seed 1]

`SEQJAX_DATA` is a folder with the data sets that `experiments/README.md` names; none of them is
part of this project. What was tuned was tuned on validation data.
"""

import argparse
import csv
import datetime
import gzip
import os
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from seqjax.build.model import count_params
from seqjax.cli.flags import train_flags
from seqjax.errors import InputError
from seqjax.runs import conclude, road
from seqjax.runs.fitted import Fitted
from seqjax.runs.fitting import fit
from seqjax.runs.trained import Trained, load
from seqjax.train.allocator import keep_freed_memory

RESULTS = Path(__file__).parents[1] / "results"
COLUMNS = (
    *("data", "seed", "metric", "value", "published", "examples", "parameters", "minutes"),
    *("best_step", "command", "date", "commit"),
)


class Measured(NamedTuple):
    """One measurement.

    Attributes:
      prepare: `(data, work)` makes train.txt, valid.txt and test.txt in the folder work.
      flags: Of `seqjax train`, but for files, seed and directory.
      metrics: Names of scores, each with what was published and where.
    """

    prepare: Callable[[Path, Path], None]
    flags: str
    metrics: dict[str, str]


def sentiment(data: Path, work: Path) -> None:
    """Sentences of the Stanford Sentiment Treebank, two classes."""
    for name, split in (("train", "train"), ("valid", "dev"), ("test", "test")):
        text = (data / "sst" / f"sst_binary_{split}.tsv").read_text(encoding="utf-8")
        (work / f"{name}.txt").write_text(text, encoding="utf-8")


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


def wiki(data: Path, work: Path) -> None:
    """Sentences of the English Wikipedia, words apart."""
    with gzip.open(data / "wiki_en_lm" / "train.txt.gz", "rt", encoding="utf-8") as file:
        (work / "train.txt").write_text(file.read(), encoding="utf-8")
    for name in ("valid", "test"):
        text = (data / "wiki_en_lm" / f"{name}.txt").read_text(encoding="utf-8")
        (work / f"{name}.txt").write_text(text, encoding="utf-8")


def shakespeare(data: Path, work: Path) -> None:
    """Tiny Shakespeare: the last tenth is both validated and tested, as nanoGPT does.

    What stands just before it is of the same play: without it, n-grams lose 0.16 nats.
    """
    text = (data / "tinyshakespeare" / "input.txt").read_text(encoding="utf-8")
    cut = round(0.9 * len(text))
    for name, part in (("train", text[:cut]), ("valid", text[cut:]), ("test", text[cut:])):
        (work / f"{name}.txt").write_text(part, encoding="utf-8")


def sentences(data: Path, work: Path) -> None:
    """Multi30k, German to English, lower-cased and tokenised; test_2016."""
    folder = data / "multi30k_en_de" / "tok"
    for name, stem in (
        ("train", "train.lc.norm.tok"),
        ("valid", "val.lc.norm.tok"),
        ("test", "test_2016_flickr.lc.norm.tok"),
    ):
        sides = []
        for language in ("de", "en"):
            path = folder / f"{stem}.{language}"
            if path.exists():
                text = path.read_text(encoding="utf-8")
            else:
                with gzip.open(f"{path}.gz", "rt", encoding="utf-8") as file:
                    text = file.read()
            sides.append(text.splitlines())
        lines = [f"{source}\t{target}\n" for source, target in zip(*sides, strict=True)]
        (work / f"{name}.txt").write_text("".join(lines), encoding="utf-8")


_SPEECH = (
    "--task transcribe --data.target-tokens words --data.max-source 400 --data.buckets 3 "
    "--data.batch-size 32 --model.embedding-size 64 --model.hidden-size 128 "
    "--model.encoder-layers 2 --model.pyramid --optimizer.schedule cosine "
    "--optimizer.warmup-steps 100 --validation.metric exact_match"
)
_DIGITS = "96-99 (hobby projects, splits differ)"
_TAI = "84.9-87.5 with GloVe and all phrases (Tai et al. 2015)"
MEASURED = {
    "sentiment-majority": Measured(
        sentiment, "--task classify --model.kind majority", {"accuracy": _TAI}
    ),
    "sentiment-bags": Measured(
        sentiment,
        "--task classify --model.kind bag_of_words --data.source-tokens words",
        {"accuracy": _TAI, "macro_f1": "", "calibration_error": ""},
    ),
    "wiki-ngram": Measured(
        wiki,
        "--task language-model --model.kind ngram --data.target-tokens words --data.min-count 3",
        {"perplexity": "none for this split"},
    ),
    "shakespeare-ngram": Measured(
        shakespeare,
        "--task language-model --model.kind ngram --model.ngram-order 7 "
        "--data.target-tokens chars --data.min-count 1",
        {"loss": "1.47 (nanoGPT, a Transformer of 10.6 M), the same tenth"},
    ),
    "sentences-lexicon": Measured(
        sentences,
        "--model.kind lexicon --data.source-tokens words --data.target-tokens words "
        "--validation.bleu-tokenizer none",
        {"bleu": "13.8 seq2seq without attention, 28.3 with"},
    ),
    "sentiment": Measured(
        sentiment,
        "--task classify --data.source-tokens words --data.min-count 2 --data.batch-size 64 "
        "--data.buckets 4 --model.embedding-size 128 --model.hidden-size 256 --model.dropout 0.5 "
        "--model.pooling max --optimizer.learning-rate 1e-3 --optimizer.average-decay 0.99 "
        "--epochs 8 --validation.metric accuracy",
        {
            "accuracy": _TAI,
            "macro_f1": "",
            "calibration_error": "",
        },
    ),
    "digits": Measured(digits, _SPEECH + " --epochs 6", {"exact_match": _DIGITS}),
    "digits-ctc": Measured(
        digits, _SPEECH + " --model.decoder ctc --epochs 10", {"exact_match": _DIGITS}
    ),
}


def measure(name: str, seed: int, data: Path) -> list[dict]:
    """Trains and tests; returns a row for each metric."""
    chosen = MEASURED[name]
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        chosen.prepare(data, work)
        words = ["--train", f"{work}/train.txt", "--valid", f"{work}/valid.txt"]
        words += ["--run-dir", f"{work}/run", "--seed", str(seed), *chosen.flags.split()]
        started = time.monotonic()
        config, best_step = train_flags(words).settings, 0
        if config.model.kind == "network":
            best_step = road.train(config).progress.best_step
        else:
            fit(config)
        minutes = (time.monotonic() - started) / 60
        trained = load(f"{work}/run")
        test = trained.task.read([f"{work}/test.txt"], trained.vocabularies)
        scores = conclude.evaluate(trained, test).scores
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    return [
        {
            "data": name,
            "seed": seed,
            "metric": metric,
            "value": round(scores[metric], 4),
            "published": published,
            "examples": scores.get("tokens") if isinstance(test, str) else len(test.sources),
            "parameters": _parameters(trained),
            "minutes": round(minutes, 2),
            "best_step": best_step,
            "command": f"seqjax train {chosen.flags}",
            "date": datetime.date.today().isoformat(),
            "commit": commit,
        }
        for metric, published in chosen.metrics.items()
    ]


def _parameters(trained: Trained | Fitted) -> int | str:
    return count_params(trained.params) if isinstance(trained, Trained) else ""


def main() -> None:
    """Reads the command line; see the module."""
    parser = argparse.ArgumentParser(description="Measures a task on real data.")
    parser.add_argument("name", choices=MEASURED)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    data = os.environ.get("SEQJAX_DATA")
    if not data or not Path(data).is_dir():
        raise SystemExit("error: SEQJAX_DATA must be a folder with the data sets")
    keep_freed_memory()
    try:
        rows = measure(arguments.name, arguments.seed, Path(data))
    except InputError as error:
        raise SystemExit(f"error: {error}") from None
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{arguments.name}.csv"
    begun = path.exists()
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        if not begun:
            writer.writeheader()
        writer.writerows(rows)
    for row in rows:
        print(f"{row['data']} seed {row['seed']}: {row['metric']} {row['value']}")


if __name__ == "__main__":
    main()
