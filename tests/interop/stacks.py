"""Random stacks, the two ways to run them (`unroll` and the equations), and stored cases."""

import functools
from pathlib import Path
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from oracles import recurrent as oracle

from seqjax.interop.stack import Stack, build_cells, cell_shapes, hidden_size, output_size
from seqjax.unroll.unroll import unroll

FEATURES, HIDDEN, TIME = 5, 3, 5
LENGTHS = np.array([5, 2, 4])
TOLERANCE = 2e-5
DIFFERENT = 1e-3  # what a wrong reading of weights must at least change

STEPS = {
    "lstm": oracle.lstm,
    "gru": oracle.gru,
    "gru_reset_before": oracle.gru_reset_before,
    "rnn": oracle.rnn(np.tanh),
    "rnn_relu": oracle.rnn(lambda x: np.maximum(x, 0)),
}


class Sequences(NamedTuple):
    """What a stack reads and where it starts, or what comes out of it and where it ends.

    Attributes:
      values: `[batch, time, features]`.
      hidden, cell: `[layers * directions, batch, size]`, as PyTorch has them; a kind other than an
        LSTM has no cell.
    """

    values: Any
    hidden: Any
    cell: Any = None


def random_stack(kind, layers=1, directions=1, *, peepholes=False, projection=None, seed=0):
    rng, stack, below = np.random.default_rng(seed), [], FEATURES
    for _ in range(layers):
        shapes = cell_shapes(kind, below, HIDDEN, projection, peepholes=peepholes)
        stack.append(
            tuple(
                {name: normal(rng, *shape) for name, shape in shapes.items()}
                for _ in range(directions)
            )
        )
        below = directions * (projection or HIDDEN)
    return tuple(stack)


def normal(rng, *shape):
    """Returns what keeps the values of a rectifier near 1 for some steps."""
    return rng.normal(scale=0.5, size=shape).astype(np.float32)


def random_sequences(stack, kind, seed=1):
    rng = np.random.default_rng(seed)
    cells = [weights for layer in stack for weights in layer]
    state = lambda size: normal(rng, len(cells), len(LENGTHS), size)
    features = cells[0]["input_kernel"].shape[0]
    return Sequences(
        normal(rng, len(LENGTHS), TIME, features),
        state(output_size(cells[0])),
        state(hidden_size(cells[0])) if kind == "lstm" else None,
    )


def run(stack: Stack, kind, given, lengths=LENGTHS, *, reverse=False):
    """Runs our cells by `unroll`; compiled once for stacks of the same cells."""
    compiled = _compiled(build_cells(stack, kind), reverse)
    return compiled(stack, given, jnp.asarray(lengths, jnp.int32))


@functools.cache
def _compiled(cells, reverse):
    def run(stack, given, lengths):
        values, ends = given.values, []
        for layer, directions in zip(cells, stack, strict=True):
            outputs = []
            for backward, (cell, weights) in enumerate(zip(layer, directions, strict=True)):
                carry = cell.initial_carry(values.shape[0])._replace(hidden=given.hidden[len(ends)])
                if given.cell is not None:
                    carry = carry._replace(cell=given.cell[len(ends)])
                way = functools.partial(unroll, reverse=reverse != bool(backward))
                end, output = cell.apply({"params": weights}, carry, values, lengths, method=way)
                ends.append(end)
                outputs.append(output)
            values = jnp.concatenate(outputs, axis=-1)
        return _ended(values, ends, given, jnp)

    return jax.jit(run)


def run_equations(stack: Stack, kind, given, lengths=LENGTHS, *, reverse=False):
    """Runs the oracle, in float64."""
    values, ends = np.float64(given.values), []
    for directions in stack:
        outputs = []
        for backward, weights in enumerate(directions):
            step = STEPS[kind]
            if "peepholes" in weights:
                step = oracle.lstm_variant("peepholes")
            if "projection" in weights:
                step = oracle.lstm_projected
            weights = {name: np.float64(array) for name, array in weights.items()}
            carry = [np.float64(given.hidden[len(ends)])]
            if given.cell is not None:
                carry.append(np.float64(given.cell[len(ends)]))
            way = {"reverse": reverse != bool(backward)}
            output, end = oracle.run(step, weights, tuple(carry), values, lengths, **way)
            ends.append(end)
            outputs.append(output)
        values = np.concatenate(outputs, axis=-1)
    return _ended(values, ends, given, np)


def _ended(values, ends, given, numpy):
    hidden, *cell = (
        numpy.stack([end[part] for end in ends]) for part in range(1 + (given.cell is not None))
    )
    return Sequences(values, hidden, *cell)


def distance(found, expected, lengths=LENGTHS):
    """Returns the largest difference at valid steps and in the last states."""
    valid = np.arange(found.values.shape[1]) < np.asarray(lengths)[:, None]
    pairs = [(np.asarray(found.values)[valid], np.asarray(expected.values)[valid])]
    pairs += [(found.hidden, expected.hidden)]
    if expected.cell is not None:
        pairs += [(found.cell, expected.cell)]
    for one, other in pairs:
        assert one.shape == other.shape
    return max(float(np.max(np.abs(np.float64(one) - other))) for one, other in pairs)


def assert_same(one, other):
    """Bit for bit, in the same containers, under the same names, of the same dtype."""
    assert jax.tree.structure(one) == jax.tree.structure(other)
    for a, b in zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True):
        assert a.dtype == b.dtype
        np.testing.assert_array_equal(a, b)


def save_cases(path: Path, cases: dict[str, dict[str, np.ndarray]]) -> None:
    """Writes what a peer read and answered, `case/entry` by name."""
    arrays = {f"{name}/{key}": array for name, case in cases.items() for key, array in case.items()}
    np.savez_compressed(path, **arrays)


def load_cases(name: str) -> dict[str, dict[str, np.ndarray]]:
    cases: dict[str, dict[str, np.ndarray]] = {}
    with np.load(Path(__file__).parent / "fixtures" / name, allow_pickle=False) as stored:
        for key in stored:
            case, entry = key.split("/", 1)
            cases.setdefault(case, {})[entry] = stored[key]
    return cases


def weights_of(case: dict[str, np.ndarray]) -> dict[str, Any]:
    """Returns what stands below `weights`, nested as its names are."""
    nested: dict[str, Any] = {}
    for key, array in case.items():
        path = key.split("/")
        if path[0] == "weights":
            inner = nested
            for name in path[1:-1]:
                inner = inner.setdefault(name, {})
            inner[path[-1]] = array
    return nested


def answer(given, found, lengths=LENGTHS):
    """Returns the entries of a case: what a peer was given, and what it found."""
    case = {"lengths": np.asarray(lengths)}
    for moment, sequences in (("given", given), ("found", found)):
        for name, array in sequences._asdict().items():
            if array is not None:
                case[f"{moment}/{name}"] = np.asarray(array, np.float32)
    return case


def error_of(stack, kind, case, *, reverse=False):
    """Returns how far our run is from what a peer found for the same weights and sequences."""
    given, expected = (
        Sequences(*(case.get(f"{moment}/{name}") for name in Sequences._fields))
        for moment in ("given", "found")
    )
    found = run(stack, kind, given, case["lengths"], reverse=reverse)
    return distance(found, expected, case["lengths"])
