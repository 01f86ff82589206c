"""Texts that belong to a class."""

from functools import partial
from pathlib import Path

from experiments.tasks.record import Measured


def sentiment(data: Path, work: Path, *, classes: str = "binary") -> None:
    """Sentences of the Stanford Sentiment Treebank, two classes (binary) or five (fine)."""
    for name, split in (("train", "train"), ("valid", "dev"), ("test", "test")):
        text = (data / "sst" / f"sst_{classes}_{split}.tsv").read_text(encoding="utf-8")
        (work / f"{name}.txt").write_text(text, encoding="utf-8")


_TAI = "84.9-87.5 with GloVe and all phrases (Tai et al. 2015)"
_TAI_FINE = "46.4-49.1 with GloVe and all phrases (Tai et al. 2015)"
_SST, _SST_FINE = "SST-2, sentences only", "SST-5, sentences only"
_BAGS = "--task classify --model.kind bag_of_words --data.source-tokens words"
LABELS = {
    "sentiment": Measured(
        _SST,
        "BiLSTM, max pooling, no pretrained vectors",
        sentiment,
        "--preset sentiment",
        {"accuracy": _TAI, "macro_f1": "", "calibration_error": ""},
    ),
    "sentiment-attention": Measured(
        _SST,
        "BiLSTM, attention pooling, no pretrained vectors",
        sentiment,
        "--preset sentiment --model.pooling attention",
        {"accuracy": _TAI, "macro_f1": "", "calibration_error": ""},
    ),
    "sentiment-bags": Measured(
        _SST,
        "bags of words and characters, logistic regression",
        sentiment,
        _BAGS,
        {"accuracy": _TAI, "macro_f1": "", "calibration_error": ""},
    ),
    "sentiment-majority": Measured(
        _SST,
        "the most frequent label",
        sentiment,
        "--task classify --model.kind majority",
        {"accuracy": _TAI},
    ),
    "sentiment-fine": Measured(
        _SST_FINE,
        "BiLSTM, max pooling, no pretrained vectors",
        partial(sentiment, classes="fine"),
        "--preset sentiment",
        {"accuracy": _TAI_FINE, "macro_f1": "", "calibration_error": ""},
    ),
    "sentiment-fine-bags": Measured(
        _SST_FINE,
        "bags of words and characters, logistic regression",
        partial(sentiment, classes="fine"),
        _BAGS,
        {"accuracy": _TAI_FINE, "macro_f1": "", "calibration_error": ""},
    ),
}
