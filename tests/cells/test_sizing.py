import pytest

from seqjax.cells.gru import GRUCell
from seqjax.cells.lstm import LSTMCell
from seqjax.cells.lstm_variant import VARIANTS
from seqjax.cells.minimal import MinGRUCell
from seqjax.cells.sizing import count_weights, hidden_size_for


@pytest.mark.parametrize(
    ("cell", "weights"),
    (
        (LSTMCell(3, 5), 4 * 5 * (3 + 5 + 1)),
        (LSTMCell(3, 5, variant=VARIANTS["peepholes"]), 4 * 5 * (3 + 5 + 1) + 3 * 5),
        (LSTMCell(3, 5, variant=VARIANTS["coupled"]), 3 * 5 * (3 + 5 + 1) + 2 * 5),
        (LSTMCell(3, 5, output_size=2), 4 * 5 * (3 + 2 + 1) + 5 * 2),
        (LSTMCell(3, 5, variant=VARIANTS["gate_recurrence"]), 4 * 5 * 9 + 3 * 5 + 9 * 25),
        (GRUCell(3, 5), 3 * 5 * (3 + 5 + 1) + 5),
        (MinGRUCell(3, 5), 2 * 5 * (3 + 1)),
    ),
)
def test_weights_are_counted_as_the_equations_have_them(cell, weights):
    assert count_weights(cell, 3) == weights


@pytest.mark.parametrize("input_size", (None, 7))
@pytest.mark.parametrize("wanted", (50, 1_000, 123_456))
def test_no_other_width_comes_nearer(wanted, input_size):
    found = hidden_size_for(wanted, GRUCell, input_size=input_size)
    distance = lambda hidden: abs(
        count_weights(GRUCell(input_size or hidden, hidden), input_size or hidden) - wanted
    )
    assert all(distance(found) <= distance(found + step) for step in (-1, 1) if found + step > 0)


def test_fewer_weights_than_a_single_unit_has_are_refused():
    with pytest.raises(ValueError, match="weights must be at least 5, got 3"):
        hidden_size_for(3, GRUCell)
