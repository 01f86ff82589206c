"""Everything there is to say about texts and their labels, in the order in which it is told."""

from collections.abc import Mapping

from seqjax.config import DataConfig
from seqjax.data.vocabulary import TokenKind
from seqjax.metrics.classification import confusion, macro_f1
from seqjax.survey.ambiguity import ambiguous_sources, repeated_pairs
from seqjax.survey.answers import suited_tokens, usual_target, usual_targets
from seqjax.survey.batches import batch_plan
from seqjax.survey.checks import form_section, leakage_section
from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Survey, extended, percent, section
from seqjax.survey.labels import label_findings, label_section
from seqjax.survey.lengths import length_section, longer_than_train, too_long
from seqjax.survey.symbols import symbol_section, unseen_symbols, vocabulary_size
from seqjax.survey.tokens import cut_sides
from seqjax.survey.writing import foreign_texts

OFTEN = 0.75
"""Accuracy of an answer without a model, from which that of a model hides more than it shows."""


def survey_labelled(splits: Mapping[str, Split], data: DataConfig) -> Survey:
    """Looks at texts and their labels.

    Args:
      splits: `train`, and `valid` and `test` where they are given, in this order.
      data: What a token is, and the limits that training would have.
    """
    kinds: dict[str, TokenKind] = {"source": data.source_tokens, "target": "label"}
    sides = cut_sides(splits, kinds, data.subword_vocab)
    read = {"source": sides["source"]}
    lengths = {"source": read["source"].lengths}
    sections = [
        form_section(splits, splits, data),
        leakage_section(splits, sides["source"]),
        section(
            "Ambiguity and noise",
            ambiguous_sources(splits, "accuracy", "report the bound beside the score"),
            repeated_pairs(splits),
            foreign_texts({name: split.texts_of("source") for name, split in splits.items()}),
        ),
        extended(
            length_section(lengths),
            too_long(splits, lengths, data),
            longer_than_train(splits, lengths),
            batch_plan({**lengths, "target": sides["target"].lengths}, data, ends=False),
        ),
        extended(
            symbol_section(read, data.min_count),
            suited_tokens(splits, read),
            *unseen_symbols(splits, read, data.min_count),
        ),
        extended(
            label_section(sides["target"], "label"),
            *label_findings(splits, sides["target"], "label"),
            *label_answers(splits),
        ),
    ]
    sizes = {word: vocabulary_size(side, data.min_count) for word, side in sides.items()}
    return Survey("classify", kinds, sections, sizes)


def label_answers(splits: Mapping[str, Split]) -> list[Finding]:
    """Returns how right the simplest answers are, for each of valid and test (train without them).

    They are the most frequent label of train, and the most frequent one that train has for the same
    text (for a text that it has not, the most frequent one of all).
    """
    train = splits["train"]
    usual, known = usual_target(train), usual_targets(train)
    findings = []
    for name, split in splits.items():
        if name == "train" and len(splits) > 1:
            continue
        answers = {"majority": [usual] * len(split.targets)}
        if name != "train":
            answers["lookup"] = [known.get(text, usual) for text in split.sources]
        classes = sorted({*train.targets, *split.targets})
        tables = {way: confusion(said, split.targets, classes) for way, said in answers.items()}
        right = {way: int(table.trace()) for way, table in tables.items()}
        scores = {way: macro_f1(table) for way, table in tables.items()}
        whole = len(split.targets)
        told = " · ".join(
            f"{way} {percent(count, whole)} (macro-F1 {scores[way]:.2f})"
            for way, count in right.items()
        )
        best = max(right.values())
        findings.append(
            Finding(
                "SJ-D20",
                "warning" if best >= OFTEN * whole else "info",
                f"accuracy on {name} without a model: {told}",
                best,
                mend="a model must beat these",
                numbers={
                    "split": name,
                    "accuracy": {way: count / whole for way, count in right.items()},
                    "macro_f1": scores,
                },
            )
        )
    return findings
