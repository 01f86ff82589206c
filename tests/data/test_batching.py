import itertools

import numpy as np
import pytest

from seqjax.data.batching import BatchPlan, Examples, Shape, fit_shapes, plan_shapes
from seqjax.data.windows import Windows
from seqjax.types import Part

PAD = 0


def make(count=103, seed=0, longest=12):
    """Examples whose first token is their number, so that they can be told apart."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest, size=(count, 2))
    return Examples(
        [np.r_[number, np.full(source, 7)] for number, (source, _) in enumerate(lengths)],
        [np.r_[number, np.full(target, 8)] for number, (_, target) in enumerate(lengths)],
    )


def plan(examples, max_shapes=4, **settings):
    lengths = [[len(tokens) for tokens in side] for side in examples]
    shapes = plan_shapes(*lengths, max_shapes)
    return BatchPlan(examples, shapes, 8, PAD, **settings)


@pytest.mark.parametrize("shuffled", (True, False))
def test_every_example_comes_exactly_once_an_epoch(shuffled):
    examples = make()
    batches = plan(examples, shuffled=shuffled)
    for epoch in range(2):
        seen, count = [], 0
        for batch in batches.batches(epoch):
            for side in range(2):
                assert batch[side].values.shape[0] == 8
            count += 1
            for row in np.flatnonzero(batch.inputs.lengths):
                source = batch.inputs.values[row, : batch.inputs.lengths[row]]
                target = batch.targets.values[row, : batch.targets.lengths[row]]
                assert source[0] == target[0]
                np.testing.assert_array_equal(source, examples.sources[source[0]])
                np.testing.assert_array_equal(target, examples.targets[source[0]])
                seen.append(int(source[0]))
        assert sorted(seen) == list(range(103))
        assert count == batches.batches_per_epoch


def test_the_order_is_a_function_of_seed_and_epoch():
    examples = make()
    order = [b.inputs.values.tolist() for b in plan(examples, seed=1).batches(3)]
    assert order == [b.inputs.values.tolist() for b in plan(examples, seed=1).batches(3)]
    assert order != [b.inputs.values.tolist() for b in plan(examples, seed=1).batches(4)]
    assert order != [b.inputs.values.tolist() for b in plan(examples, seed=2).batches(3)]


def test_an_epoch_can_be_entered_anywhere():
    batches = plan(make())
    whole = list(batches.batches(2))
    for start in (0, 3, len(whole)):
        rest = list(batches.batches(2, start))
        assert len(rest) == len(whole) - start
        for one, other in zip(rest, whole[start:], strict=True):
            np.testing.assert_array_equal(one.inputs.values, other.inputs.values)


@pytest.mark.parametrize("count", (1, 2, 4))
@pytest.mark.parametrize("feed", (plan(make()), Windows(np.arange(101) + 10, 8, 4, 1, PAD)))
def test_the_parts_of_a_batch_are_the_batch(feed, count):
    """So neither the order nor a batch depends on the number of processes or devices."""
    parts = [feed.batches(1, 2, Part(index, count)) for index in range(count)]
    for whole, *dealt in zip(feed.batches(1, 2), *parts, strict=True):
        for side in range(2):
            for field in range(2):
                together = np.concatenate([part[side][field] for part in dealt])
                np.testing.assert_array_equal(together, whole[side][field])


def test_rows_that_cannot_be_dealt_evenly_are_refused():
    with pytest.raises(ValueError, match="rows must be a multiple of 3 parts, got 8"):
        next(plan(make()).batches(0, part=Part(0, 3)))


@pytest.mark.parametrize("max_shapes", (1, 2, 3))
def test_no_choice_of_shapes_wastes_less(max_shapes):
    """Against every way to cut the examples, put in order of their length, into stretches."""
    rng = np.random.default_rng(max_shapes)
    for _ in range(10):
        lengths = rng.integers(1, 9, size=(7, 2))
        ordered = lengths[np.argsort(lengths.sum(axis=1), kind="stable")]
        needed = np.maximum.accumulate(ordered, axis=0).sum(axis=1).tolist()
        best = min(
            sum(
                (end - start) * needed[end - 1]
                for start, end in itertools.pairwise((0, *cuts, len(needed)))
            )
            for count in range(max_shapes)
            for cuts in itertools.combinations(range(1, len(needed)), count)
        )
        shapes = plan_shapes(lengths[:, 0].tolist(), lengths[:, 1].tolist(), max_shapes)
        assert len(shapes) <= max_shapes
        widths = [sum(shape) for shape in shapes]
        assert sum(min(w for w in widths if w >= least) for least in needed) == best


def test_more_shapes_never_waste_more():
    examples = make(400, longest=40)
    shares = [plan(examples, count).padding_share() for count in (1, 2, 4, 8)]
    assert shares == sorted(shares, reverse=True)


def test_examples_that_fit_no_shape_get_one_more():
    assert fit_shapes((Shape(3, 3),), make(5, longest=2)) == (Shape(3, 3),)
    larger = fit_shapes((Shape(1, 40),), make(5, longest=9))
    assert len(larger) == 2 and larger[1].target == 40
    with pytest.raises(ValueError, match="fits none"):
        BatchPlan(make(), (Shape(1, 1),), 4, PAD)


@pytest.mark.parametrize("count", (1, 5, 12, 37, 40))
def test_a_text_is_read_in_order_every_token_once(count):
    tokens = np.arange(count) + 10
    windows = Windows(tokens, batch_size=3, window=4, bos_id=1, pad_id=0)
    said, read = ([[] for _ in range(3)] for _ in range(2))
    batches = list(windows.batches(0))
    assert len(batches) == windows.batches_per_epoch
    for batch in batches:
        assert batch.inputs.values.shape == (3, 4)
        for row in range(3):
            length = batch.targets.lengths[row]
            said[row] += batch.targets.values[row, :length].tolist()
            read[row] += batch.inputs.values[row, :length].tolist()
    assert sum(said, []) == tokens.tolist()
    assert sum(read, []) == [1, *tokens[:-1].tolist()]
    for one, other in zip(windows.batches(1, 1), batches[1:], strict=True):
        np.testing.assert_array_equal(one.targets.values, other.targets.values)
