"""Texts that belong to a class."""

from pathlib import Path

from experiments.tasks.record import Measured


def sentiment(data: Path, work: Path) -> None:
    """Sentences of the Stanford Sentiment Treebank, two classes."""
    for name, split in (("train", "train"), ("valid", "dev"), ("test", "test")):
        text = (data / "sst" / f"sst_binary_{split}.tsv").read_text(encoding="utf-8")
        (work / f"{name}.txt").write_text(text, encoding="utf-8")


_TAI = "84.9-87.5 with GloVe and all phrases (Tai et al. 2015)"
_SST = "SST-2, sentences only"
LABELS = {
    "sentiment": Measured(
        _SST,
        "BiLSTM, max pooling, no pretrained vectors",
        sentiment,
        "--task classify --data.source-tokens words --data.min-count 2 --data.batch-size 64 "
        "--data.buckets 4 --model.embedding-size 128 --model.hidden-size 256 --model.dropout 0.5 "
        "--model.pooling max --optimizer.learning-rate 1e-3 --optimizer.average-decay 0.99 "
        "--epochs 8 --validation.metric accuracy",
        {"accuracy": _TAI, "macro_f1": "", "calibration_error": ""},
    ),
    "sentiment-bags": Measured(
        _SST,
        "bags of words and characters, logistic regression",
        sentiment,
        "--task classify --model.kind bag_of_words --data.source-tokens words",
        {"accuracy": _TAI, "macro_f1": "", "calibration_error": ""},
    ),
    "sentiment-majority": Measured(
        _SST,
        "the most frequent label",
        sentiment,
        "--task classify --model.kind majority",
        {"accuracy": _TAI},
    ),
}
