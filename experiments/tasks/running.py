"""Running texts, for language models."""

import gzip
from pathlib import Path

from experiments.tasks.record import Measured


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


_NANOGPT = "1.47 (nanoGPT, a Transformer of 10.6 M), the same tenth"
RUNNING = {
    "docs": Measured(
        "English of Python's manual, topics held out",
        "2 LSTM layers of 256, tied embeddings",
        None,
        "--preset docs",
        {"perplexity": "none for this text"},
    ),
    "docs-ngram": Measured(
        "English of Python's manual, topics held out",
        "Kneser-Ney 5-gram",
        None,
        "--preset docs --model.kind ngram",
        {"perplexity": "none for this text"},
    ),
    "shakespeare": Measured(
        "Tiny Shakespeare, last tenth",
        "LSTM of 512",
        shakespeare,
        "--preset letters",
        {"loss": _NANOGPT, "bits_per_token": ""},
    ),
    "shakespeare-ngram": Measured(
        "Tiny Shakespeare, last tenth",
        "Kneser-Ney 7-gram of characters",
        shakespeare,
        "--task language-model --model.kind ngram --model.ngram-order 7 "
        "--data.target-tokens chars --data.min-count 1",
        {"loss": _NANOGPT},
    ),
    "wiki": Measured(
        "Wikipedia words, 1.05 M, least count 3",
        "2 LSTM layers of 200, tied embeddings",
        wiki,
        "--preset docs --data.batch-size 20 --data.window 35 --model.embedding-size 200 "
        "--model.hidden-size 200 --model.dropout 0.3 --optimizer.learning-rate 3e-3 "
        "--optimizer.schedule cosine --optimizer.warmup-steps 200 "
        "--optimizer.average-decay 0.998 --epochs 5",
        {"perplexity": "none for this split"},
    ),
    "wiki-ngram": Measured(
        "Wikipedia words, 1.05 M, least count 3",
        "Kneser-Ney 5-gram",
        wiki,
        "--task language-model --model.kind ngram --data.target-tokens words --data.min-count 3",
        {"perplexity": "none for this split"},
    ),
}
