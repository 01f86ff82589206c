"""Is it the search or the model? What answers look like, and what the model thinks of them."""

import math
from collections.abc import Sequence
from typing import Any

from seqjax.config import DecodeConfig
from seqjax.metrics.bootstrap import Interval, bootstrap_mean
from seqjax.metrics.health import distinct_n, rep_within, repeats, seq_rep_n
from seqjax.predict.answer import Answer
from seqjax.runs.together import Panel
from seqjax.runs.trained import Trained
from seqjax.tasks.task import Decoded
from seqjax.train.compiled import AnnounceFn
from seqjax.types import Mean

WINDOW = 16
"""Tokens back in which `rep_16` looks for the same token."""

Report = dict[str, dict[str, Interval]]


def search_report(
    runs: Sequence[Trained], decoded: Decoded, decode: DecodeConfig, announce: AnnounceFn
) -> Report:
    """Returns measures of the answers, of greedy ones and of the references, with 95 % intervals.

    Of each: `log_prob` (nats) and `log_prob_per_token` by the model alone, without what penalties
    and processors did; `length_ratio` to the references, `empty`, `ended`, `repeated` (see
    `health`), `seq_rep_1` to `seq_rep_4`, `rep_16`, `distinct_1` and `distinct_2` (which have no
    interval). Of the answers besides: `search_errors`, the share of sentences whose reference the
    model finds more probable than the answer: there the search fell short. Elsewhere, where an
    answer is wrong, it is the model that prefers it.

    Args:
      runs: What answered.
      decoded: Answers and references; of several references the first counts.
      decode: How was searched.
      announce: Told of compilations.
    """
    references = [accepted[0] for accepted in decoded.references]
    cut = runs[0].vocabularies["target"].cut
    plain = DecodeConfig(
        method="greedy", length_penalty=0.0, batch_size=decode.batch_size, ensemble=decode.ensemble
    )
    judge = Panel(runs, plain, announce=announce)
    answers = [found[0] for found in decoded.answers]
    plainly = judge.score(decoded.sources, [answer.text for answer in answers])
    sides = {
        # What penalties made of a score is not the model's own opinion.
        "answers": [
            answer._replace(log_prob=own.log_prob)
            for answer, own in zip(answers, plainly, strict=True)
        ],
        "greedy": [found[0] for found in judge(decoded.sources)],
        "references": judge.score(decoded.sources, references),
    }
    wanted = [len(cut(text)) for text in references]
    report = {name: _measures(side, wanted, cut) for name, side in sides.items()}
    better = [
        Mean(float(reference.log_prob > answer.log_prob + 1e-4), 1.0)
        for answer, reference in zip(sides["answers"], sides["references"], strict=True)
    ]
    report["answers"]["search_errors"] = bootstrap_mean(better)
    return report


def _measures(answers: Sequence[Answer], wanted: Sequence[int], cut: Any) -> dict[str, Interval]:
    tokens = [cut(answer.text) for answer in answers]
    share = lambda holds: [Mean(float(one), 1.0) for one in holds]
    means = {
        "log_prob": [Mean(answer.log_prob, 1.0) for answer in answers],
        "log_prob_per_token": [
            Mean(answer.log_prob, len(said) + 1.0)
            for answer, said in zip(answers, tokens, strict=True)
        ],
        "length_ratio": [
            Mean(float(len(said)), float(length))
            for said, length in zip(tokens, wanted, strict=True)
        ],
        "empty": share(not said for said in tokens),
        "ended": share(answer.finished for answer in answers),
        "repeated": share(map(repeats, tokens)),
        **{
            f"seq_rep_{size}": [Mean(seq_rep_n(said, size), 1.0) for said in tokens]
            for size in (1, 2, 3, 4)
        },
        f"rep_{WINDOW}": [rep_within(said, WINDOW) for said in tokens],
    }
    found = {name: bootstrap_mean(_finite(parts)) for name, parts in means.items()}
    for size in (1, 2):
        # No interval: a sentence drawn twice would count as a repetition.
        found[f"distinct_{size}"] = Interval(distinct_n(tokens, size))
    return found


def _finite(parts: Sequence[Mean]) -> list[Mean]:
    """What the model holds to be impossible would make every mean minus infinity: left out."""
    kept = [part for part in parts if math.isfinite(part.total)]
    return kept or [Mean(0.0, 0.0)]
