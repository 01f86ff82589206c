"""The plan of shapes against every other one, and against what no plan can better."""

import numpy as np
import pytest
from oracles import shapes as oracle

from seqjax.config import DataConfig
from seqjax.data import planning
from seqjax.data.batching import BatchPlan, Examples, assign_shapes
from seqjax.data.plan_report import plan_report
from seqjax.data.planning import Shape, histogram, plan_shapes, shape_counts
from seqjax.data.ragged import Ragged
from seqjax.errors import InputError


def one_row(source, target):
    return 1


def draw(seed, examples, longest):
    """Pairs whose lengths have to do with each other, as those of translations have."""
    rng = np.random.default_rng(seed)
    source = 1 + rng.poisson(longest / 3, size=examples) % longest
    target = np.clip(source + rng.integers(-3, 4, size=examples), 1, longest)
    return np.stack([source, target], axis=1)


def planned(lengths, size, **settings):
    return plan_shapes(lengths[:, 0], lengths[:, 1], size, one_row, **settings)


@pytest.mark.parametrize("size", (1, 2, 3))
def test_no_choice_of_shapes_wastes_less(size):
    """Against all of them; a bound that the oracle's own tests rely on is below."""
    rng = np.random.default_rng(size)
    for _ in range(12):
        lengths = rng.integers(1, 7, size=(9, 2))
        best = oracle.least_work(lengths, size)
        shapes = planned(lengths, size)
        assert len(shapes) <= size
        assert oracle.work(lengths, [shape[:2] for shape in shapes]) == best
        assert oracle.bound(lengths, size, best) <= best + 1e-6


def test_a_plan_is_near_what_no_plan_can_better():
    lengths = draw(0, 3_000, 30)
    best = oracle.work(lengths, [shape[:2] for shape in planned(lengths, 8)])
    assert oracle.bound(lengths, 8, best) > 0.99 * best


def test_shapes_need_not_hold_one_another():
    lengths = np.array([(20, 3)] * 50 + [(3, 20)] * 50 + [(20, 20)])
    assert {shape[:2] for shape in planned(lengths, 3)} == {(20, 3), (3, 20), (20, 20)}


def test_more_shapes_never_waste_more_and_one_holds_all():
    lengths = draw(1, 400, 40)
    works = [
        oracle.work(lengths, [shape[:2] for shape in planned(lengths, size)])
        for size in (1, 2, 4, 8)
    ]
    assert works == sorted(works, reverse=True) and works[0] == 400 * lengths.max(axis=0).sum()


def test_a_plan_is_a_function_of_the_lengths_not_of_their_order():
    lengths = draw(2, 300, 25)
    mixed = np.random.default_rng(0).permutation(lengths)
    assert planned(lengths, 5) == planned(mixed, 5)


def test_a_dear_target_side_is_padded_less():
    lengths = draw(3, 500, 30)
    padding = []
    for weight in (1.0, 10.0):
        shapes = planned(lengths, 4, target_weight=weight)
        prices = [source + weight * target for source, target, _ in shapes]
        assert prices == sorted(prices)
        homes = assign_shapes(_examples(lengths), shapes)
        padding.append(sum(shapes[home].target for home in homes) - lengths[:, 1].sum())
    assert padding[1] < padding[0]


def _examples(lengths):
    return Examples(*(Ragged.of(np.ones(n) for n in side) for side in lengths.T))


def test_many_lengths_are_thinned_out_and_shapes_mended_after_it():
    rng = np.random.default_rng(0)
    source = np.minimum(rng.geometric(0.03, size=4_000), 300)
    target = np.clip((source * rng.uniform(0.5, 1.6, size=4_000)).astype(int), 1, 300)
    shapes = plan_shapes(source, target, 4, one_row)
    table = histogram(source, target)
    counts = shape_counts(table, shapes)
    assert counts.sum() == 4_000 and (counts > 0).all()
    # In place of each shape, no other that is a token or two larger or smaller on a side.
    price = lambda shapes: sum(
        n * sum(shape[:2]) for n, shape in zip(shape_counts(table, shapes), shapes, strict=True)
    )
    for number, shape in enumerate(shapes[:-1]):
        for source_step, target_step in ((1, 0), (0, 1), (-1, 0), (0, -1)):
            moved = Shape(shape.source + source_step, shape.target + target_step, 1)
            other = sorted(
                (*shapes[:number], moved, *shapes[number + 1 :]), key=lambda s: sum(s[:2])
            )
            assert price(other) >= price(shapes)


@pytest.mark.parametrize("seed", range(6))
def test_there_is_room_for_everybody_however_little_may_be_looked_at(monkeypatch, seed):
    """Shapes that are dropped late, when nothing may be looked at any more, held somebody."""
    monkeypatch.setattr(planning, "MOST_WORK", 1)
    rng = np.random.default_rng(seed)
    lengths = np.where(rng.random((300, 1)) < 0.5, [[200, 4]], [[20, 40]])
    lengths = rng.integers(1, lengths + 1)
    shapes = plan_shapes(lengths[:, 0], lengths[:, 1], 8, lambda source, target: 64)
    assert sum(shape_counts(histogram(lengths[:, 0], lengths[:, 1]), shapes)) == len(lengths)


def test_fewer_shapes_are_taken_where_filling_rows_would_cost_more():
    lengths = np.array([(n, n) for n in range(1, 9)])
    assert len(planned(lengths, 8)) == 8
    assert len(plan_shapes(lengths[:, 0], lengths[:, 1], 8, lambda source, target: 8)) == 1


def test_a_report_is_what_the_batches_are():
    lengths = draw(4, 500, 20)
    data = DataConfig(buckets=4, batch_tokens=400)
    report = plan_report(lengths[:, 0], lengths[:, 1], data)
    plan = BatchPlan(_examples(lengths), report.shapes, 0)
    batches = list(plan.batches(0))
    assert report.batches == len(batches) == plan.batches_per_epoch
    sizes = [sum(np.size(side.values) for side in batch) for batch in batches]
    assert report.padding_and_filling == pytest.approx(1 - lengths.sum() / sum(sizes), abs=1e-12)
    rows = [batch.inputs.lengths > 0 for batch in batches]
    held = sum(size * row.mean() for size, row in zip(sizes, rows, strict=True))
    assert report.padding == pytest.approx(1 - lengths.sum() / held, abs=1e-12)
    assert report.compilations == len({batch.targets.values.shape for batch in batches})
    assert report.tokens == lengths.sum() and sum(report.examples) == 500
    for (source, target, height), batch_size in zip(report.shapes, sizes, strict=False):
        assert height % 8 == 0 and height * (source + target) <= 400 and batch_size <= 400
    assert "padding" in report.line() and report.document()["compilations"] <= 4


def test_a_budget_without_room_is_refused_in_one_line():
    lengths = draw(5, 100, 20)
    with pytest.raises(InputError, match=r"batch-tokens 100 has no room for 8 rows .* enough"):
        plan_report(lengths[:, 0], lengths[:, 1], DataConfig(batch_tokens=100))
    enough = DataConfig(batch_tokens=int(8 * lengths.max(axis=0).sum()))
    shapes = plan_report(lengths[:, 0], lengths[:, 1], enough).shapes
    assert min(shape.rows for shape in shapes) >= 8
