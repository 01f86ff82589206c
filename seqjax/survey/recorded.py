"""Everything there is to say about recordings or arrays, in the order in which it is told."""

from collections.abc import Mapping

import numpy as np

from seqjax.config import DataConfig, ModelConfig
from seqjax.config.data import VectorKind
from seqjax.survey.ambiguity import ambiguous_sources, repeated_pairs
from seqjax.survey.answers import simple_answers, suited_tokens
from seqjax.survey.batches import batch_plan
from seqjax.survey.checks import form_section, leakage_section
from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Section, Survey, extended, percent, section
from seqjax.survey.lengths import Lengths, length_section, longer_than_train, too_long
from seqjax.survey.recordings import (
    differing_rates,
    flat_sources,
    listen,
    recording_section,
    unreadable_sources,
    usual_rate,
)
from seqjax.survey.speed import odd_speeds
from seqjax.survey.suspects import looped_targets
from seqjax.survey.symbols import rare_symbols, symbol_section, unseen_symbols, vocabulary_size
from seqjax.survey.tokens import Ragged, Side, cut_sides
from seqjax.survey.writing import foreign_texts

MANY = 0.01
"""Share of impossible targets from which the loss that leaves them out misleads."""
_BY_HAND = {
    **dict.fromkeys(("SJ-D02", "SJ-D03"), "take them out of train"),
    "SJ-D05": "take these sources out of train",
    "SJ-D14": "meant (over-sampling) or a slip",
    "SJ-D26": "take them out of valid",
}
"""What to do about findings that are mended elsewhere; a copy would not find what names name."""


def survey_recorded(
    splits: Mapping[str, Split], data: DataConfig, model: ModelConfig, kind: VectorKind
) -> Survey:
    """Looks at recordings or arrays, and what they say.

    Args:
      splits: `train`, and `valid` and `test` where they are given, in this order; sources are names
        relative to the first file of each.
      data: What a target token is, and the limits that training would have.
      model: Whether it is one of CTC, and how it joins steps.
      kind: What names stand for.

    Raises:
      InputError: If nothing of a split can be read.
    """
    listened = {name: listen(split, kind) for name, split in splits.items()}
    pairs = {name: one.split for name, one in listened.items()}
    texts = {name: split.texts_of("target") for name, split in pairs.items()}
    sides = cut_sides(pairs, {"target": data.target_tokens}, data.subword_vocab)
    target = sides["target"]
    steps = {name: one.steps for name, one in listened.items()}
    lengths: Lengths = {"source": steps, "target": target.lengths}
    ctc, unit = model.decoder == "ctc", "steps or tokens"
    time = {name: one.seconds for name, one in listened.items()} if kind == "sound" else steps
    sections = [
        form_section(splits, texts, data),
        extended(
            recording_section(listened, kind),
            unreadable_sources(listened, skipped=data.on_bad_line == "skip"),
            differing_rates(listened, kind),
            flat_sources(listened, kind),
        ),
        leakage_section(pairs),
        section(
            "Ambiguity and noise",
            ambiguous_sources(pairs),
            repeated_pairs(pairs),
            odd_speeds(pairs, target.lengths, time, "second" if kind == "sound" else "step"),
            looped_targets(pairs, target),
            foreign_texts(texts),
        ),
        extended(
            length_section(lengths, "steps and tokens"),
            too_long(pairs, lengths, data, unit=unit),
            longer_than_train(pairs, lengths, unit),
            impossible_targets(pairs, steps, target, model) if ctc else None,
            batch_plan(lengths, data, ends=not ctc),
        ),
        extended(
            symbol_section(sides, data.min_count),
            suited_tokens(pairs, sides),
            rare_symbols(pairs, target),
            *unseen_symbols(pairs, sides, data.min_count),
        ),
        section("Task", *simple_answers(pairs, target, ["majority"])),
    ]
    width = data.mel_bands if kind == "sound" else usual_rate(listened["train"])
    sizes = {"source": width, "target": vocabulary_size(target, data.min_count)}
    task = "transcribe" if kind == "sound" else "describe"
    tokens = {"source": kind, "target": data.target_tokens}
    return Survey(task, tokens, [_by_hand(each) for each in sections], sizes)


def impossible_targets(
    splits: Mapping[str, Split], steps: Mapping[str, np.ndarray], target: Side, model: ModelConfig
) -> Finding:
    """Returns pairs of whose targets no path of CTC speaks: too few steps are left of their frames.

    Args:
      splits: At least train.
      steps: `[rows]` frames of each source, by split.
      target: Cut into tokens.
      model: How many layers join neighbouring steps.
    """
    joined = model.encoder_layers - 1 if model.pyramid else 0
    found = {}
    for name in splits:
        left = steps[name]
        for _ in range(joined):
            left = (left + 1) // 2
        found[name] = np.flatnonzero(needed_steps(target.rows[name]) > left).tolist()
    count = sum(map(len, found.values()))
    said = f"the steps that {joined} joinings leave" if joined else "their steps"
    numbers = {"joinings": joined, **{name: len(rows) for name, rows in found.items()}}
    if not count:
        return Finding("SJ-D43", "ok", f"no target is too long for {said}", numbers=numbers)
    told = ", ".join(
        f"{len(rows):,} {name} ({percent(len(rows), len(splits[name].targets))})"
        for name, rows in found.items()
        if rows
    )
    many = any(len(rows) > MANY * len(splits[name].targets) for name, rows in found.items())
    mend = "no --model.pyramid or fewer --model.encoder-layers, " if joined else ""
    return Finding(
        "SJ-D43",
        "error" if many else "warning",
        f"targets too long for {said}, of which CTC learns nothing: {told}",
        count,
        [splits[name].place(row) for name, rows in found.items() for row in rows],
        f"{mend}coarser target tokens, or --model.decoder attention",
        numbers,
    )


def needed_steps(targets: Ragged) -> np.ndarray:
    """Returns `[rows]` steps that CTC needs: one a token, and one between two that are alike.

    >>> needed_steps(Ragged(np.array([1, 1, 2, 3]), np.array([0, 3, 4]))).tolist()
    [4, 1]
    """
    values, row_of = targets.values, targets.row_of
    again = (values[1:] == values[:-1]) & (row_of[1:] == row_of[:-1])
    blanks = np.bincount(row_of[1:][again], minlength=len(targets.lengths))
    return targets.lengths + blanks


def _by_hand(section: Section) -> Section:
    findings = [
        found._replace(mend=_BY_HAND.get(found.code, found.mend) if found.mend else "")
        for found in section.findings
    ]
    return section._replace(findings=findings)
