"""Each warning by a history that has its fault, and by one that nearly has."""

import json
import math
from pathlib import Path

import pytest

from seqjax.watch.codes import CODES
from seqjax.watch.detectors import DETECTORS, answers_worse, unhealthy
from seqjax.watch.history import EARLY, RECENT, Facts, History
from seqjax.watch.tally import Tally, tally_errors
from seqjax.watch.watch import Watch

FACTS = Facts(
    unigram_loss=3.0,
    smoothing_loss=0.2,
    clip_norm=1.0,
    learning_rate=2e-3,
    warmup_steps=100,
    shapes=2,
    repeated=0.05,
    baselines={"always answering 'no'": {"exact_match": 0.4, "token_error_rate": 0.7}},
)


def train(step, **values):
    row = {"event": "train", "step": step, "epoch": 0, "loss": 2.0, "clipped": 0.0}
    return row | {"gradient_norm": 0.5, "tokens_per_second": 1000.0} | values


def valid(step, **values):
    return {"event": "validation", "step": step, "epoch": step // 100, "loss": 1.5} | values


def healthy(steps=700, **values):
    """A run that goes as it should, validated every hundred steps, with `values` in every row."""
    rows = []
    for step in range(20, steps + 1, 20):
        rows.append(train(step, loss=2.0 - step / 1000, **values))
        if step % 100 == 0:
            rows.append(valid(step, loss=1.9 - step / 1000, **ANSWERS))
    return rows


ANSWERS = {
    "exact_match": 0.5,
    "token_error_rate": 0.3,
    "ended": 1.0,
    "repeated": 0.05,
    "length_ratio": 1.0,
    "attention_spread": 0.4,
}


def codes_of(rows, facts=FACTS, *, compiled=(), tallies=None):
    """The codes that are found as these rows come one after the other, in that order."""
    watch = Watch(facts)
    for what in compiled:
        watch.compiled(what)
    return [finding.code for row in rows for finding in watch.look(row, tallies)]


def test_a_healthy_run_is_left_in_peace():
    assert codes_of(healthy()) == []


@pytest.mark.parametrize(
    "loss, steps, found",
    [(3.0, 300, True), (3.5, 320, True), (2.99, 300, False), (3.5, 280, False)],
)
def test_nothing_is_learnt(loss, steps, found):
    rows = [train(step, loss=loss) for step in range(20, steps + 1, 20)]
    assert codes_of(rows) == ["SJ-T02"] * found


def test_a_good_validation_speaks_for_a_model_whose_training_loss_has_more_in_it():
    rows = [train(step, loss=3.5) for step in range(20, 301, 20)]
    assert codes_of([valid(10, loss=2.9), *rows]) == []
    assert codes_of([valid(10, loss=math.nan), *rows]) == ["SJ-T02"]


@pytest.mark.parametrize(
    "loss, dev, found",
    [(2.0, 0.8, True), (2.0, 1.0, False), (0.8, 0.2, False), (0.9, 0.19, True)],
)
def test_validation_is_too_good(loss, dev, found):
    """0.2 of the training loss is label smoothing's; both a gap and a ratio are needed."""
    rows = [train(step, loss=loss) for step in range(20, 101, 20)]
    assert codes_of([*rows, valid(100, loss=dev)]) == ["SJ-T03"] * found


@pytest.mark.parametrize(
    "epoch, right, loss, found",
    [
        (1, 0.96, 0.43, True),
        (2, 0.96, 0.43, False),
        (1, 0.95, 0.43, False),
        (1, 0.96, 0.41, False),
    ],
)
def test_nearly_all_is_right_in_the_first_epoch(epoch, right, loss, found):
    """0.2 nats between training, less its label smoothing, and a validation loss of 0.02."""
    rows = [train(step, loss=loss) for step in range(20, 101, 20)]
    row = valid(100, epoch=epoch, exact_match=right, loss=0.02)
    assert codes_of([*rows, row]) == ["SJ-T03"] * found


@pytest.mark.parametrize("loss", (0.0245, 0.1))
def test_an_easy_task_that_is_learnt_in_the_first_epoch_is_no_leak(loss):
    """The first: dates after 392 steps, of which 95.4 % are right."""
    facts = FACTS._replace(smoothing_loss=0.0)
    rows = [train(step, loss=loss) for step in range(20, 381, 20)]
    assert codes_of([*rows, valid(392, epoch=1, loss=0.0188, exact_match=0.954)], facts) == []


@pytest.mark.parametrize("share, found", [(0.31, True), (0.3, False)])
def test_most_steps_are_clipped(share, found):
    assert codes_of(healthy(clipped=share, gradient_norm=4.0)) == ["SJ-T04"] * found


def test_clipping_while_the_rate_rises_does_not_count():
    early = [train(step, clipped=1.0 if step <= 200 else 0.0) for step in range(20, 701, 20)]
    assert codes_of(early) == []
    assert codes_of(healthy(clipped=1.0), FACTS._replace(clip_norm=0.0)) == []


def test_the_values_that_are_suggested_for_clipping_are_those_of_the_run():
    watch = Watch(FACTS)
    rows = healthy(clipped=0.9)
    for number, row in enumerate(rows):
        row["gradient_norm"] = 3.0 + number % 3
    (finding,) = [finding for row in rows for finding in watch.look(row)]
    assert "90% of the last steps were clipped to a norm of 1;" in finding.text
    assert "--optimizer.clip-norm 5 or --optimizer.learning-rate 0.001" in finding.text


@pytest.mark.parametrize(
    "values, found",
    [
        ({"exact_match": 0.44}, True),
        ({"exact_match": 0.46}, False),
        ({"token_error_rate": 0.34}, True),
        ({"token_error_rate": 0.32}, False),
        ({"exact_match": 0.2, "loss": 1.9}, False),  # the loss gets worse as well
        ({"length_ratio": 0.79}, True),
        ({"length_ratio": 0.81}, False),
        ({"length_ratio": 1.26}, True),
    ],
)
def test_answers_get_worse_while_the_loss_falls(values, found):
    last = {**valid(800, loss=1.0), **ANSWERS, **values}
    assert codes_of([*healthy(), last]) == ["SJ-T05"] * found


def test_lengths_that_were_never_right_are_not_getting_worse():
    rows = [row | ({"length_ratio": 0.3} if "ended" in row else {}) for row in healthy()]
    assert codes_of(rows) == []


@pytest.mark.parametrize(
    "tally, found",
    [
        (Tally("sources of 3 tokens", 40, 100, 0.15), True),
        (Tally("sources of 3 tokens", 40, 100, 0.25), False),  # not twice its share
        (Tally("sources of 3 tokens", 25, 100, 0.05), False),  # not a large part
        (Tally("sources of 3 tokens", 9, 29, 0.1), False),  # too few errors to say
        (Tally("sources of 3 tokens", 10, 30, 0.13), False),  # may be chance
    ],
)
def test_errors_concentrate(tally, found):
    assert codes_of(healthy(300), tallies=[tally]) == ["SJ-T06"] * found
    assert codes_of(healthy(200), tallies=[tally]) == []


def test_errors_are_counted_by_length_and_by_symbol():
    found = tally_errors(
        [1, 1, 2],
        [["a"], ["b"], []],
        [[["a"], ["x"]], [["a", "b", "b"]], [["c"]]],
    )
    assert [tuple(tally) for tally in found] == [
        ("sources of 1 token", 1, 2, 2 / 3),
        ("sources of 2 tokens", 1, 2, 1 / 3),
        ("the target symbol 'a'", 1, 3, 2 / 5),
        ("the target symbol 'b'", 1, 3, 2 / 5),
        ("the target symbol 'c'", 1, 3, 1 / 5),
    ]


@pytest.mark.parametrize(
    "values, found",
    [
        ({"ended": 0.97}, True),
        ({"ended": 0.985}, False),
        ({"repeated": 0.08}, True),
        ({"repeated": 0.06}, False),  # 5 % of the references repeat themselves
    ],
)
def test_answers_do_not_end_or_repeat_themselves(values, found):
    rows = [row | (values if "ended" in row else {}) for row in healthy(300)]
    assert codes_of(rows) == ["SJ-T07"] * found
    assert codes_of([row for row in rows if row["step"] <= 280]) == []


def test_no_way_out_is_named_that_there_is_not():
    """Without a decoder a search has no penalties; and no fault is told that is not there."""
    long = {"length_ratio": 1.5, "repeated": 0.3}
    rows = [row | (long if row["step"] == 300 and "ended" in row else {}) for row in healthy(300)]
    for facts, ways in (
        (FACTS, ("see --decode.length-penalty", "try --decode.no-repeat-ngram 3")),
        (
            FACTS._replace(penalties=False),
            ("choose the best weights by --validation.metric token_error_rate", "train on"),
        ),
    ):
        history = History(rows)
        lengths, health = answers_worse(history, facts), unhealthy(history, facts)
        assert lengths is not None and lengths.endswith(ways[0])
        assert health is not None and health.startswith("30.0% of the validation answers repeat")
        assert health.endswith(ways[1]) and "maximal length" not in health
    meant = unhealthy(history, FACTS._replace(repeated=0.2))
    assert meant is not None and meant.endswith("(20.0% of the references do); train on")


def test_more_shapes_are_compiled_than_planned():
    assert codes_of(healthy(60), compiled=["8x8", "16x16"]) == []
    assert codes_of(healthy(60), compiled=["8x8", "16x16", "16x17"]) == ["SJ-T08"]


@pytest.mark.parametrize("speed, found", [(499.0, True), (501.0, False)])
def test_training_becomes_slow(speed, found):
    rows = [row | {"tokens_per_second": speed} for row in healthy() if row["step"] > 400]
    assert codes_of(healthy(400) + rows) == ["SJ-T09"] * found


def test_a_single_slow_stretch_is_not_a_slow_training():
    rows = [row | {"tokens_per_second": 10.0} for row in healthy() if 400 < row["step"] <= 480]
    assert codes_of(healthy(400) + rows + healthy()[-20:]) == []


@pytest.mark.parametrize(
    "spread, epoch, found", [(0.91, 3, True), (0.89, 3, False), (0.99, 2, False)]
)
def test_attention_looks_nowhere(spread, epoch, found):
    row = valid(100, epoch=epoch, attention_spread=spread)
    assert codes_of([row]) == ["SJ-T10"] * found


@pytest.mark.parametrize(
    "values, found",
    [
        ({"exact_match": 0.39}, True),
        ({"exact_match": 0.41}, False),
        ({"token_error_rate": 0.71}, True),
        ({"token_error_rate": 0.69}, False),
    ],
)
def test_something_simple_is_better(values, found):
    rows = [row | (values if "ended" in row else {}) for row in healthy(300)]
    assert codes_of(rows) == ["SJ-T12"] * found
    assert codes_of([row for row in rows if row["step"] <= 280]) == []


def test_the_best_of_the_model_is_compared_and_not_its_last():
    rows = [row | ({"exact_match": 0.39} if row["step"] > 200 else {}) for row in healthy(300)]
    assert "SJ-T12" not in codes_of(rows)


def test_a_loss_is_compared_where_there_are_no_answers():
    rows = [valid(step, loss=2.0) for step in (100, 200, 300)]
    baselines = {"knowing the frequencies": {"loss": 1.9}}
    assert codes_of(rows, FACTS._replace(baselines=baselines)) == ["SJ-T12"]
    baselines = {"knowing the frequencies": {"loss": 2.1}}
    assert codes_of(rows, FACTS._replace(baselines=baselines)) == []


def test_a_step_that_is_not_finite_is_told_of_once():
    watch = Watch(FACTS)
    assert [finding.code for finding in watch.skipped(7, 0)] == ["SJ-T01"]
    assert watch.skipped(8, 0) == []


FAULTY = [
    *[train(step, loss=3.5, clipped=1.0) for step in range(20, 601, 20)],
    *[valid(600 + step, loss=3.4, exact_match=0.0, ended=0.0, repeated=0.0) for step in (1, 2, 3)],
]


@pytest.mark.parametrize("cut", range(0, len(FAULTY), 4))
def test_a_run_that_goes_on_is_told_nothing_twice_and_misses_nothing(cut):
    """The history that is written down is all that a run needs to go on being watched."""
    whole, written = [], []
    first = Watch(FACTS)
    for row in FAULTY[:cut]:
        written.append(row)
        written += [finding.row for finding in first.look(row)]
    second = Watch(FACTS, json.loads(json.dumps(written)))
    for row in FAULTY[cut:]:
        written.append(row)
        written += [finding.row for finding in second.look(row)]
    watch = Watch(FACTS)
    for row in FAULTY:
        whole.append(row)
        whole += [finding.row for finding in watch.look(row)]
    assert written == whole
    found = [row["code"] for row in whole if row["event"] == "warning"]
    assert sorted(found) == ["SJ-T02", "SJ-T04", "SJ-T07", "SJ-T12"]


def test_a_long_run_is_not_kept_whole():
    history = History(train(step) for step in range(20, 200_020, 20))
    assert len(history.early) == EARLY and len(history.recent) == RECENT
    assert history.step == 200_000


def test_every_detector_has_a_code_and_every_code_is_well_formed():
    assert [code.code for code in CODES] == sorted({code.code for code in CODES})
    assert {code.code for code, _ in DETECTORS} == {code.code for code in CODES} - {"SJ-T01"}
    assert all(text.strip() and "\n" not in text for code in CODES for text in code)


def test_a_warning_is_one_line_that_says_where_to_read_on():
    (finding,) = Watch(FACTS).skipped(7, 0)
    assert finding.line.startswith("warning  SJ-T01  ") and "\n" not in finding.line
    assert finding.line.endswith("(seqjax explain SJ-T01)")
    assert finding.row["event"] == "warning" and finding.row["step"] == 7


def test_every_code_is_documented_as_it_is_explained():
    document = Path(__file__).parents[2] / "docs" / "watching.md"
    text = " ".join(document.read_text(encoding="utf-8").split())
    for code in CODES:
        assert f"### {code.code}: {code.says} {code.means} *Way out:* {code.mend}" in text
        assert f"| {code.code} | " in text
