"""cuDNN's way through time. Where there is no GPU, JAX's own reference of it stands in."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import rnn
from unroll.cases import CASES, FEATURES, HIDDEN
from unroll.test_unroll import LENGTHS, TIME, Outer, assert_close, loss_and_gradients, make, run

from seqjax.cells.lstm import LSTMCell
from seqjax.cells.lstm_variant import VARIANTS
from seqjax.unroll import cudnn
from seqjax.unroll.cudnn import Kernels, check_parity, pack

either_way = pytest.mark.parametrize("reverse", (False, True), ids=("forward", "backward"))


def stand_in(inputs, hidden, cell, weights, lengths):
    """What cuDNN promises and no more: other lengths spoil everything, padding holds garbage."""
    time, sizes = inputs.shape[1], (inputs.shape[-1], hidden.shape[-1], 1)
    unpacked = rnn.unpack_lstm_weights(weights, *sizes, False)
    arguments = (inputs, hidden[None], cell[None], *unpacked, lengths)
    outputs, hidden, cell = rnn.lstm_ref(*arguments, *sizes, 0.0, False)
    promised = jnp.all((lengths > 0) & (lengths <= time))
    spoilt = jnp.where(promised, 1.0, jnp.nan)
    padding = jnp.arange(time)[None] >= lengths[:, None]
    outputs = jnp.where(padding[..., None], 7.0, outputs)
    return outputs * spoilt, hidden[0] * spoilt, cell[0] * spoilt


@pytest.fixture(autouse=True)
def unchecked():
    """Every test is a process that has not used cuDNN yet."""
    check_parity.cache_clear()
    yield
    check_parity.cache_clear()


@pytest.fixture
def pretended(monkeypatch):
    """A GPU, as far as can be seen from here."""
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(cudnn, "_lstm", stand_in)


def test_weights_are_laid_out_as_the_binding_reads_them():
    size = 4 * HIDDEN
    kernels = Kernels(
        *(
            jax.random.normal(jax.random.key(n), shape)
            for n, shape in enumerate(((FEATURES, size), (HIDDEN, size), (size,)))
        )
    )
    unpacked = rnn.unpack_lstm_weights(pack(kernels), FEATURES, HIDDEN, 1, False)
    expected = kernels.input_kernel.T, kernels.recurrent_kernel.T, kernels.bias, 0 * kernels.bias
    for part, wanted in zip(unpacked, expected, strict=True):
        np.testing.assert_array_equal(part[0], wanted)


@pytest.mark.usefixtures("pretended")
@either_way
def test_it_has_values_and_gradients_of_the_reference(reverse):
    arguments = make("lstm")
    expected = run("lstm", "scan", *arguments, reverse=reverse)
    assert_close(run("lstm", "cudnn", *arguments, reverse=reverse), expected, 1e-6)
    expected = loss_and_gradients("lstm", "scan", *arguments, reverse=reverse)
    assert_close(loss_and_gradients("lstm", "cudnn", *arguments, reverse=reverse), expected, 1e-5)


@pytest.mark.usefixtures("pretended")
@either_way
def test_padding_and_empty_rows_have_no_say(reverse):
    params, carry, inputs, lengths = make("lstm")
    padding = np.arange(TIME) >= np.asarray(LENGTHS)[:, None]
    expected = loss_and_gradients("lstm", "cudnn", params, carry, inputs, lengths, reverse=reverse)
    spoilt = jnp.where(padding[..., None], jnp.nan, inputs)
    found = loss_and_gradients("lstm", "cudnn", params, carry, spoilt, lengths, reverse=reverse)
    jax.tree.map(np.testing.assert_array_equal, found, expected)
    final, outputs = run("lstm", "cudnn", params, carry, spoilt, lengths, reverse=reverse)
    np.testing.assert_array_equal(np.asarray(outputs)[padding], 0)
    jax.tree.map(lambda a, b: np.testing.assert_array_equal(a[2], b[2]), final, carry)


@pytest.mark.usefixtures("pretended")
def test_no_step_and_no_row_is_nothing_to_do():
    params, carry, inputs, lengths = make("lstm")
    layer = Outer(LSTMCell(FEATURES, HIDDEN), "cudnn")
    final, outputs = layer.apply({"params": params}, carry, inputs[:, :0], 0 * lengths)
    jax.tree.map(np.testing.assert_array_equal, final, carry)
    assert outputs.shape == (len(LENGTHS), 0, HIDDEN)


@pytest.mark.usefixtures("pretended")
def test_parity_is_checked_once_and_whatever_is_being_traced(monkeypatch):
    seen = []
    monkeypatch.setattr(cudnn, "_lstm", lambda *a: seen.append(a[0].shape) or stand_in(*a))
    params, *arguments = make("lstm")
    layer = Outer(LSTMCell(FEATURES, HIDDEN), "cudnn")
    loss = lambda params: jnp.sum(layer.apply({"params": params}, *arguments)[1])
    with jax.checking_leaks():
        jax.jit(jax.grad(loss)).lower(params)
    jax.grad(jax.checkpoint(loss))(params)
    mine = (len(LENGTHS), TIME, FEATURES)
    assert seen[0] != mine
    assert set(seen[1:]) == {mine}


def swapped(inputs, hidden, cell, weights, lengths):
    """Gates in the order i f o g."""
    order = (0, 1, 3, 2)
    parts = rnn.unpack_lstm_weights(weights, inputs.shape[-1], hidden.shape[-1], 1, False)
    blocks = [jnp.split(part[0], 4) for part in parts]
    weights = jnp.concatenate([block[n].reshape(-1) for block in blocks for n in order])
    return stand_in(inputs, hidden, cell, weights, lengths)


def coarse(inputs, hidden, cell, weights, lengths):
    """Operands of TensorFloat-32: 10 bits of mantissa."""
    rounded = (jax.lax.reduce_precision(leaf, 8, 10) for leaf in (inputs, hidden, cell, weights))
    return stand_in(*rounded, lengths)


def forgetful(inputs, hidden, cell, weights, lengths):
    """Begins with nothing."""
    return stand_in(inputs, 0 * hidden, 0 * cell, weights, lengths)


def blind(inputs, hidden, cell, weights, lengths):
    """Runs over padding."""
    return stand_in(inputs, hidden, cell, weights, jnp.full_like(lengths, inputs.shape[1]))


def broken(inputs, hidden, cell, weights, lengths):
    """Its gradient is no number."""
    return stand_in(inputs + 0 * jnp.sqrt(0 * inputs), hidden, cell, weights, lengths)


@pytest.mark.usefixtures("pretended")
@pytest.mark.parametrize("lstm", (swapped, coarse, forgetful, blind, broken))
def test_another_function_than_the_reference_is_never_used(monkeypatch, lstm):
    monkeypatch.setattr(cudnn, "_lstm", lstm)
    params, *arguments = make("lstm")
    layer = Outer(LSTMCell(FEATURES, HIDDEN), "cudnn")
    for _ in range(2):  # and does not pass at a second try
        with pytest.raises(RuntimeError, match="differs from 'scan' by up to"):
            layer.apply({"params": params}, *arguments)


def test_slips_in_packing_are_seen(pretended, monkeypatch):
    right = cudnn.pack
    wrong = lambda kernels: right(kernels._replace(bias=jnp.roll(kernels.bias, 32)))
    monkeypatch.setattr(cudnn, "pack", wrong)
    with pytest.raises(RuntimeError, match="'cudnn' differs from 'scan' by up to .* \\(.*\\)"):
        check_parity()


def test_the_parity_check_leaves_room_for_rounding(pretended, monkeypatch):
    monkeypatch.setattr(cudnn, "TOLERANCE", cudnn.TOLERANCE / 10)
    check_parity()


REFUSED = [
    (CASES["gru"].cell_fn(), "an LSTMCell, got GRUCell"),
    (LSTMCell(3, 4, variant=VARIANTS["coupled"]), "the standard variant, got LSTMVariant"),
    (LSTMCell(3, 4, output_size=2), "no projection, got output_size=2"),
    (LSTMCell(3, 4, normalised=True), "no layer normalisation, got normalised=True"),
    (LSTMCell(3, 4, state_dropout=0.5), "no state_dropout while learning, got state_dropout=0.5"),
    (LSTMCell(3, 4, connection_dropout=0.5), "no connection_dropout while learning, got connec"),
]


@pytest.mark.usefixtures("pretended")
@pytest.mark.parametrize(("cell", "message"), REFUSED, ids=[message for _, message in REFUSED])
def test_what_it_does_not_compute_is_refused(cell, message):
    carry = cell.initial_carry(2)
    arguments = carry, jnp.ones((2, 5, 3)), jnp.array([5, 2])
    variables = Outer(cell, "scan").init(jax.random.key(0), *arguments)
    layer = Outer(cell, "cudnn")
    with pytest.raises(ValueError, match=f"^method 'cudnn' takes {message}"):
        layer.apply(variables, *arguments, rngs={"dropout": jax.random.key(1)})
    if "while learning" in message:
        expected = Outer(cell, "scan").apply(variables, *arguments)
        assert_close(layer.apply(variables, *arguments), expected, 1e-6)


@pytest.mark.usefixtures("pretended")
def test_it_is_float32_alone():
    params, carry, inputs, lengths = make("lstm")
    half = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16), (params, carry, inputs))
    layer = Outer(LSTMCell(FEATURES, HIDDEN), "cudnn")
    with pytest.raises(ValueError, match="method 'cudnn' takes float32, got bfloat16"):
        layer.apply({"params": half[0]}, *half[1:], lengths)


@pytest.mark.usefixtures("pretended")
def test_it_keeps_everything():
    params, *arguments = make("lstm")
    layer = Outer(LSTMCell(FEATURES, HIDDEN), "cudnn", keep_every=3)
    with pytest.raises(ValueError, match="keep_every must be None for method 'cudnn', got 3"):
        layer.apply({"params": params}, *arguments)


@pytest.mark.skipif(jax.default_backend() == "gpu", reason="there is a GPU")
def test_without_a_gpu_it_is_refused():
    params, *arguments = make("lstm")
    with pytest.raises(ValueError, match="method 'cudnn' takes a GPU, got cpu"):
        Outer(LSTMCell(FEATURES, HIDDEN), "cudnn").apply({"params": params}, *arguments)


@pytest.mark.usefixtures("pretended")
def test_it_is_never_taken_unasked(monkeypatch):
    monkeypatch.setattr(cudnn, "_lstm", None)
    params, *arguments = make("lstm")
    Outer(LSTMCell(FEATURES, HIDDEN), "auto").apply({"params": params}, *arguments)


@pytest.mark.skipif(jax.default_backend() == "gpu", reason="there is a GPU")
def test_the_binding_is_asked_for_full_float32(monkeypatch):
    """The call itself, traced; how much memory cuDNN wants is all that a GPU must tell for it."""
    sizes = lambda *arguments: (8, 8)
    monkeypatch.setattr(
        rnn.gpu_rnn, "compute_rnn_workspace_reserve_space_sizes", sizes, raising=False
    )
    _, carry, inputs, lengths = make("lstm")
    weights = jnp.zeros((4 * HIDDEN * (FEATURES + HIDDEN + 2),))
    loss = lambda weights, inputs: jnp.sum(
        cudnn._lstm(inputs, carry.hidden, carry.cell, weights, lengths)[0]
    )
    traced = str(jax.make_jaxpr(jax.grad(loss, (0, 1)))(weights, inputs))
    for step in ("rnn_fwd", "rnn_bwd"):
        _, _, settings = traced.partition(step)
        assert "cudnn_allow_tf32=False" in settings.partition("]")[0]


@pytest.mark.skipif(jax.default_backend() != "gpu", reason="needs a GPU")
@either_way
def test_on_a_gpu_it_has_values_and_gradients_of_the_reference(reverse):
    arguments = make("lstm")
    with jax.default_matmul_precision("highest"):
        expected = loss_and_gradients("lstm", "scan", *arguments, reverse=reverse)
        found = loss_and_gradients("lstm", "cudnn", *arguments, reverse=reverse)
    assert_close(found, expected, 1e-5)
