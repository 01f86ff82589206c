"""How good the baselines are: n-grams, a lexicon, bags of words, rules; each on files of text.

`python -m benchmarks.baselines characters input.txt` and the like; docs/baselines.md has the
commands and what they printed.
"""

import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import sacrebleu

from seqjax.baselines.bags import train_bags
from seqjax.baselines.ngram import train_ngram
from seqjax.baselines.rules import read_date
from seqjax.baselines.translator import train_translator
from seqjax.data.embedded.dates import make_dates


def characters(path: str) -> None:
    """Prints nats a character on the last tenth of a text, learnt from what is before."""
    text = np.frombuffer(Path(path).read_bytes(), np.uint8)
    alphabet, ids = np.unique(text, return_inverse=True)
    train, test = np.split(ids, [len(ids) * 9 // 10])
    for order in range(3, 9):
        start = time.perf_counter()
        model = train_ngram([train], order=order, vocab_size=len(alphabet))
        seconds = time.perf_counter() - start
        nats = -model.log_probs(test, train).mean()
        print(f"order {order}: {nats:.4f} nats, {nats / np.log(2):.4f} bits, {seconds:.1f} s")


def words(train: str, valid: str, test: str, least: str) -> None:
    """Prints the perplexity of lines of words, of which those rarer than `least` are one token."""
    lines = {name: _lines(name) for name in (train, valid, test)}
    counts = Counter(word for line in lines[train] for word in line)
    known = [word for word, count in counts.items() if count >= int(least)]
    ids = {word: number for number, word in enumerate(known, start=2)}
    sides = {
        name: [np.array([*(ids.get(word, 1) for word in line), 0]) for line in some]
        for name, some in lines.items()
    }
    for order in (3, 4, 5):
        start = time.perf_counter()
        model = train_ngram(sides[train], order=order, vocab_size=len(ids) + 2)
        seconds = time.perf_counter() - start
        found = [np.exp(-model.sequence_log_probs(sides[name]).mean()) for name in (valid, test)]
        print(
            f"order {order}, {len(ids) + 2} tokens: perplexity {found[0]:.2f} valid, "
            f"{found[1]:.2f} test, {seconds:.1f} s"
        )


def pairs(train_source: str, train_target: str, test_source: str, test_target: str) -> None:
    """Prints BLEU of tokens as they stand in the files."""
    start = time.perf_counter()
    model = train_translator(_lines(train_source), _lines(train_target))
    learnt = time.perf_counter()
    answers = [" ".join(model.translate(line)) for line in _lines(test_source)]
    said = time.perf_counter()
    references = [" ".join(line) for line in _lines(test_target)]
    bleu = sacrebleu.corpus_bleu(answers, [references], tokenize="none", force=True)
    print(f"{bleu}; learnt in {learnt - start:.1f} s, said in {said - learnt:.1f} s")


def labels(train: str, valid: str, test: str) -> None:
    """Prints the accuracy on lines `text TAB label`."""
    start = time.perf_counter()
    (texts, names), (valid_texts, valid_names), (test_texts, test_names) = (
        zip(*(line.rsplit("\t", 1) for line in Path(path).read_text().splitlines()), strict=True)
        for path in (train, valid, test)
    )
    model = train_bags(texts, names, valid_texts=valid_texts, valid_labels=valid_names)
    right = np.mean([a == b for a, b in zip(model.answer(test_texts), test_names, strict=True)])
    print(f"{model.recipe}: {model.valid_accuracy:.4f} valid, {right:.4f} test")
    print(f"{time.perf_counter() - start:.1f} s")


def dates(*seeds: str) -> None:
    """Prints the exact match of the rules for dates."""
    for seed in seeds:
        test = make_dates(1, seed=int(seed)).test
        answers = [read_date(source) for source in test.sources]
        right = np.mean([a == b for a, b in zip(answers, test.targets, strict=True)])
        print(f"seed {seed}: exact match {right:.4f} of {len(answers)}")


def _lines(path: str) -> list[list[str]]:
    return [line.split() for line in Path(path).read_text(encoding="utf-8").splitlines()]


def main(arguments: list[str]) -> None:
    """Prints the figures of one kind of file."""
    match arguments:
        case ["characters", path]:
            characters(path)
        case ["words", train, valid, test, least]:
            words(train, valid, test, least)
        case ["pairs", train_source, train_target, test_source, test_target]:
            pairs(train_source, train_target, test_source, test_target)
        case ["labels", train, valid, test]:
            labels(train, valid, test)
        case ["dates", *seeds]:
            dates(*seeds)
        case _:
            raise SystemExit("error: see docs/baselines.md for the five commands")


if __name__ == "__main__":
    main(sys.argv[1:])
