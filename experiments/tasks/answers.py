"""Texts that are answered by a text."""

import gzip
import shutil
from pathlib import Path

from experiments.tasks.record import Measured


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


def phrases(data: Path, work: Path) -> None:
    """Tatoeba, English to French, as people wrote it; no English sentence is in two splits."""
    folder = data / "tatoeba_fra_eng"
    with gzip.open(folder / "train.tsv.gz", "rt", encoding="utf-8", newline="\n") as file:
        (work / "train.txt").write_text(file.read(), encoding="utf-8", newline="\n")
    for name, path in (("valid", "dev.tsv"), ("test", "test.tsv")):
        shutil.copyfile(folder / path, work / f"{name}.txt")


_PIECES = (
    "--data.source-tokens subwords --data.target-tokens subwords --data.subword-vocab 4000 "
    "--validation.bleu-tokenizer 13a"
)
_MULTI30K = {
    "bleu": "13.8 seq2seq without attention, 28.3 with (bentrevett/pytorch-seq2seq); 37.5 "
    "OpenNMT-py in 32 minutes",
    "chrf": "",
}
ANSWERS = {
    **{
        f"sentences{name}": Measured(
            "Multi30k de → en, test_2016",
            model,
            sentences,
            f"{flags} --validation.bleu-tokenizer none",
            _MULTI30K,
        )
        for name, model, flags in (
            ("", "BiLSTM, attention, LSTM", "--preset sentences"),
            ("-plain", "the same without attention", "--preset sentences --model.attention none"),
            (
                "-lexicon",
                "IBM Model 1 word for word and a 5-gram",
                "--model.kind lexicon --data.source-tokens words --data.target-tokens words",
            ),
        )
    },
    "phrases": Measured(
        "Tatoeba en → fr, raw text",
        "BiLSTM, attention, LSTM; 4,000 subwords",
        phrases,
        f"--preset sentences {_PIECES} --data.batch-size 128 --model.embedding-size 128 "
        "--model.hidden-size 256 --model.dropout 0.2 --epochs 2",
        {"bleu": "none for this split", "chrf": "", "exact_match": ""},
    ),
    "phrases-lexicon": Measured(
        "Tatoeba en → fr, raw text",
        "IBM Model 1, subword for subword, and a 5-gram",
        phrases,
        f"--model.kind lexicon {_PIECES}",
        {"bleu": "none for this split", "chrf": "", "exact_match": ""},
    ),
}
