import numpy as np
import pytest

from seqjax.data.batching import BatchPlan, Examples, assign_shapes, fit_shapes, pad
from seqjax.data.planning import Shape, plan_shapes
from seqjax.data.ragged import Ragged
from seqjax.data.windows import Windows
from seqjax.types import Part

PAD = 0


def make(count=103, seed=0, longest=12):
    """Examples whose first token is their number, so that they can be told apart."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(0, longest, size=(count, 2))
    return Examples(
        *(
            Ragged.of(np.r_[number, np.full(length, 7)] for number, length in enumerate(side))
            for side in lengths.T
        )
    )


def plan(examples, max_shapes=4, **settings):
    sources, targets = (side.lengths for side in examples)
    shapes = plan_shapes(sources, targets, max_shapes, lambda source, target: 8)
    return BatchPlan(examples, shapes, PAD, **settings)


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


def test_an_example_goes_to_the_cheapest_shape_that_it_fits():
    shapes = (Shape(2, 9, 4), Shape(9, 2, 4), Shape(9, 9, 4))
    lengths = np.array([(2, 9), (2, 2), (3, 2), (9, 1), (3, 3), (1, 1)])
    examples = Examples(*(Ragged.of(np.ones(n) for n in side) for side in lengths.T))
    assert assign_shapes(examples, shapes).tolist() == [0, 0, 1, 1, 2, 0]


def test_examples_that_fit_no_shape_get_one_more():
    small = (Shape(3, 3, 8), Shape(4, 2, 6))
    assert fit_shapes(small, make(5, longest=2)) == small
    larger = fit_shapes((Shape(1, 40, 8), Shape(2, 30, 6)), make(5, longest=9))
    assert len(larger) == 3 and larger[2].target == 40 and larger[2].rows == 6
    assign_shapes(make(5, longest=9), larger)
    with pytest.raises(ValueError, match="fits none"):
        BatchPlan(make(), (Shape(1, 1, 4),), PAD)


def test_each_shape_has_rows_of_its_own():
    shapes = (Shape(6, 6, 8), Shape(12, 12, 4))
    batches = BatchPlan(make(), shapes, PAD, seed=3)
    found = list(batches.batches(0))
    assert len(found) == batches.batches_per_epoch
    assert {batch.inputs.values.shape for batch in found} == {(8, 6), (4, 12)}
    assert sum(int((batch.targets.lengths > 0).sum()) for batch in found) == 103


def test_rows_are_padded_as_a_loop_does_it():
    rows = [np.array([[3, 4], [5, 6]]), np.zeros((0, 2), int), np.array([[7, 8]])]
    values, lengths = pad(rows, height=5, width=3, pad_id=9)
    expected = np.full((5, 3, 2), 9)
    for number, row in enumerate(rows):
        expected[number, : len(row)] = row
    np.testing.assert_array_equal(values, expected)
    assert lengths.tolist() == [2, 0, 1, 0, 0] and values.dtype == lengths.dtype == np.int32
    with pytest.raises(ValueError, match="width must be at least 2, got 1"):
        pad(rows, height=5, width=1, pad_id=9)


def test_rows_are_found_by_number():
    ragged = Ragged.of([[1, 2], [], [3], [4, 5, 6]])
    assert [row.tolist() for row in ragged] == [[1, 2], [], [3], [4, 5, 6]]
    assert ragged.lengths.tolist() == [2, 0, 1, 3] and ragged[3].tolist() == [4, 5, 6]
    with pytest.raises(IndexError, match="row must be in"):
        ragged[4]


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
