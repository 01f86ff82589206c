"""One function for each warning: what speaks for it in a history, in numbers; None if nothing does.

All of them look at a history and at facts and keep nothing: a run that goes on is judged by its
whole history. Numbers in capitals are where a warning begins.
"""

import math
import statistics
from collections.abc import Callable, Sequence

from seqjax.config.validation import LOWER_IS_BETTER
from seqjax.watch import codes
from seqjax.watch.history import Facts, History, Row

Detector = Callable[[History, Facts], str | None]
"""Returns a sentence with the numbers and a way out."""

FEW_STEPS = 300
"""Before this many steps, a loss says nothing."""
LAST_ROWS = 5
"""Rows over which the training loss is taken, 100 steps."""
SETTLED = 3
"""Validations after which answers should be healthy."""
LEAK_RATIO, LEAK_GAP = 0.5, 0.5
"""Validation loss over training loss, and nats per token between the two."""
LEAK_MATCH, LEAK_MATCH_GAP = 0.95, 0.2
"""Share of right answers in the first epoch with which a smaller gap is enough."""
CLIPPED_ROWS, CLIPPED_SHARE = 10, 0.3
WORSE, WORSE_BY = 0.1, 0.02
"""Of its best value, and in absolute terms, by which a score must have got worse."""
LENGTHS = (0.8, 1.25)
KIND_SHARE, KIND_TIMES, KIND_ERRORS, KIND_SURPRISE = 0.3, 2.0, 30, 4.0
UNHEALTHY_SHARE, MEANT_SHARE = 0.02, 0.1
"""Of answers that are unhealthy; of references that repeat themselves, which is then meant."""
SLOW, SPEED_ROWS = 0.5, 10
UNIFORM, UNIFORM_EPOCH = 0.9, 3


def nothing_learnt(history: History, facts: Facts) -> str | None:
    """The training loss, and the validation loss if there is one, are not below unigram entropy."""
    losses = _values(history.recent[-LAST_ROWS:], "loss")
    if history.step < FEW_STEPS or len(losses) < LAST_ROWS:
        return None
    loss = statistics.fmean(losses)
    if min([loss, *_values(history.validations, "loss")]) < facts.unigram_loss:
        return None
    return (
        f"the loss is {loss:.3f} nats a token after {history.step} steps, and knowing only how "
        f"often each token occurs gives {facts.unigram_loss:.3f}; try a --optimizer.learning-rate "
        f"of {10 * facts.learning_rate:.2g} or {facts.learning_rate / 10:.2g}"
    )


def too_good(history: History, facts: Facts) -> str | None:
    """Validation is far better than training, or nearly perfect in the first epoch and better.

    In the first epoch training examples are as new to the model as those of validation should be:
    a task that is simply easy is as easy in training.
    """
    if not history.validations:
        return None
    row = history.validations[-1]
    before = [entry for entry in history.recent if entry["step"] <= row["step"]]
    losses = _values(before[-LAST_ROWS:], "loss")
    if len(losses) < LAST_ROWS:
        return None
    train = statistics.fmean(losses) - facts.smoothing_loss
    right = row.get("exact_match", 0.0)
    at_once = row["epoch"] <= 1 and right > LEAK_MATCH
    gap = LEAK_MATCH_GAP if at_once else LEAK_GAP
    if not (train - row["loss"] > gap and row["loss"] < LEAK_RATIO * train):
        return None
    answers = f", and {100 * right:.1f}% of the answers are right in the first epoch"
    return (
        f"the validation loss is {row['loss']:.3f} and that of training {train:.3f} nats a token"
        f"{answers if at_once else ''}; see whether validation examples stand in the training data "
        f"with seqjax inspect --data"
    )


def clipped(history: History, facts: Facts) -> str | None:
    """Too many steps were clipped, the rise of the learning rate not counted."""
    rows = [row for row in history.recent if row["step"] > facts.warmup_steps + FEW_STEPS // 3]
    rows = rows[-CLIPPED_ROWS:]
    if not facts.clip_norm or len(rows) < CLIPPED_ROWS:
        return None
    share = statistics.fmean(row["clipped"] for row in rows)
    norms = sorted(_values(rows, "gradient_norm"))
    if share <= CLIPPED_SHARE or not norms:
        return None
    usual = norms[int(0.9 * (len(norms) - 1))]
    return (
        f"{100 * share:.0f}% of the last steps were clipped to a norm of {facts.clip_norm:g}; "
        f"either --optimizer.clip-norm {max(usual, facts.clip_norm * 1.5):.2g} or "
        f"--optimizer.learning-rate {facts.learning_rate / 2:.2g}"
    )


def answers_worse(history: History, facts: Facts) -> str | None:
    """The validation loss is the lowest so far, and answers are worse than they have been."""
    if len(history.validations) < SETTLED:
        return None
    *before, row = history.validations
    if not row["loss"] < min(_values(before, "loss"), default=-math.inf):
        return None
    for name, sign in (("exact_match", 1), ("bleu", 1), ("token_error_rate", -1)):
        scores = [sign * value for value in _values(before, name)]
        best, now = max(scores, default=0.0), sign * row.get(name, 0.0)
        margin = max(WORSE * abs(best), WORSE_BY * (100 if name == "bleu" else 1))
        if name in row and scores and now < best - margin:
            return (
                f"the validation loss has fallen to {row['loss']:.3f}, but {name} is "
                f"{abs(now):.3f} and was {abs(best):.3f}; choose the best weights by "
                f"--validation.metric {name}"
            )
    ratio = row.get("length_ratio")
    if ratio is None or LENGTHS[0] <= ratio <= LENGTHS[1]:
        return None
    nearest = min((abs(value - 1) for value in _values(before, "length_ratio")), default=math.inf)
    if abs(ratio - 1) <= nearest:
        return None
    advice = "see --decode.length-penalty"
    if not facts.penalties:
        advice = "choose the best weights by --validation.metric token_error_rate"
    return (
        f"the validation loss has fallen to {row['loss']:.3f}, but answers are {ratio:.2f} times "
        f"as long as they should be, and were nearer to that; {advice}"
    )


def concentrated(history: History, facts: Facts) -> str | None:
    """A large part of the errors falls on a small part of the data."""
    if len(history.validations) < SETTLED:
        return None
    kinds = [
        tally
        for tally in history.tallies
        if tally.all_errors >= KIND_ERRORS
        and tally.errors >= KIND_SHARE * tally.all_errors
        and tally.errors >= KIND_TIMES * tally.share * tally.all_errors
        and tally.surprise >= KIND_SURPRISE
    ]
    if not kinds:
        return None
    worst = max(kinds, key=lambda tally: tally.surprise)
    return (
        f"{100 * worst.errors / worst.all_errors:.0f}% of the {worst.all_errors} validation errors "
        f"are of {worst.kind}, which are {100 * worst.share:.0f}% of the data; look at such "
        f"examples"
    )


def unhealthy(history: History, facts: Facts) -> str | None:
    """Answers run into the maximal length, or repeat themselves more than references do."""
    if len(history.validations) < SETTLED or "ended" not in history.validations[-1]:
        return None
    row = history.validations[-1]
    endless, repeated = 1 - row["ended"], row["repeated"] - facts.repeated
    if endless <= UNHEALTHY_SHARE and repeated <= UNHEALTHY_SHARE:
        return None
    faults = []
    if endless > UNHEALTHY_SHARE:
        faults.append(f"{100 * endless:.1f}% of the validation answers run into the maximal length")
    if repeated > UNHEALTHY_SHARE:
        faults.append(
            f"{100 * row['repeated']:.1f}% of the validation answers repeat themselves "
            f"({100 * facts.repeated:.1f}% of the references do)"
        )
    forbids_nothing_meant = facts.penalties and facts.repeated < MEANT_SHARE
    advice = "try --decode.no-repeat-ngram 3" if forbids_nothing_meant else "train on"
    return f"{' and '.join(faults)}; {advice}"


def recompiled(history: History, facts: Facts) -> str | None:
    """This process has compiled more training shapes than there are."""
    if len(history.compiled) <= facts.shapes:
        return None
    return (
        f"{len(history.compiled)} training shapes were compiled where {facts.shapes} were planned, "
        f"the last one {history.compiled[-1]}; fewer --data.buckets, or please report it"
    )


def slowed_down(history: History, facts: Facts) -> str | None:
    """Steps are half as fast as before the first validation."""
    if not history.validations:
        return None
    first = history.validations[0]["step"]
    early = _values([row for row in history.early if row["step"] <= first], "tokens_per_second")
    late = [row for row in history.recent if row["step"] > first]
    now = _values(late[-SPEED_ROWS:], "tokens_per_second")
    if len(early) < LAST_ROWS or len(now) < SPEED_ROWS:
        return None
    fast, slow = statistics.median(early), statistics.median(now)
    if slow >= SLOW * fast:
        return None
    return (
        f"{slow:,.0f} tokens a second, where it was {fast:,.0f} before the first validation; see "
        f"what else this machine does"
    )


def looks_nowhere(history: History, facts: Facts) -> str | None:
    """Attention is near uniform after a few epochs."""
    if not history.validations:
        return None
    row = history.validations[-1]
    spread = row.get("attention_spread", 0.0)
    if row["epoch"] < UNIFORM_EPOCH or not spread >= UNIFORM:
        return None
    return (
        f"attention has {100 * spread:.0f}% of the entropy of looking everywhere alike after "
        f"{row['epoch']} epochs; try another --model.attention, or more data"
    )


def beaten(history: History, facts: Facts) -> str | None:
    """Something simple is better on the validation data than the best of the model so far."""
    if len(history.validations) < SETTLED or history.step < FEW_STEPS:
        return None
    for baseline, scores in facts.baselines.items():
        for name, theirs in scores.items():
            sign = -1 if name in LOWER_IS_BETTER else 1
            ours = [sign * value for value in _values(history.validations, name)]
            if ours and max(ours) < sign * theirs:
                return (
                    f"{baseline} has a validation {name} of {theirs:.3f}, the model at best "
                    f"{abs(max(ours)):.3f}; train on, or see what the task asks for with seqjax "
                    f"inspect --data"
                )
    return None


DETECTORS: tuple[tuple[codes.Code, Detector], ...] = (
    (codes.NOTHING_LEARNT, nothing_learnt),
    (codes.TOO_GOOD, too_good),
    (codes.CLIPPED, clipped),
    (codes.ANSWERS_WORSE, answers_worse),
    (codes.CONCENTRATED, concentrated),
    (codes.UNHEALTHY, unhealthy),
    (codes.RECOMPILED, recompiled),
    (codes.SLOWED_DOWN, slowed_down),
    (codes.LOOKS_NOWHERE, looks_nowhere),
    (codes.BEATEN, beaten),
)
"""SJ-T01 is seen at a step, before there is a row."""


def _values(rows: Sequence[Row], name: str) -> list[float]:
    """What rows say under a name, as far as they do and it is a finite number."""
    found = [row.get(name) for row in rows]
    return [float(value) for value in found if value is not None and math.isfinite(value)]
