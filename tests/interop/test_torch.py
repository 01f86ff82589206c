"""PyTorch's own answers, stored; and PyTorch itself where it is installed."""

import itertools

import pytest
from interop.fixtures.make_torch import STORED, Case, run_case
from interop.stacks import TOLERANCE, error_of, load_cases, weights_of

from seqjax.interop.torch import from_torch, to_torch

LIVE = [
    Case(kind, layers, bidirectional, packed=packed)
    for kind, layers, bidirectional, packed in itertools.product(
        ("lstm", "gru", "rnn", "rnn_relu"), (1, 2), (False, True), (False, True)
    )
]
LIVE += [Case("lstm", layers, both, proj_size=2) for layers in (1, 2) for both in (False, True)]
LIVE += [Case(kind, bias=False) for kind in ("lstm", "gru", "rnn")]


@pytest.mark.parametrize("name", STORED)
def test_we_answer_as_pytorch_did(name):
    case = load_cases("torch.npz")[name]
    kind = STORED[name].kind
    assert error_of(from_torch(weights_of(case), kind), kind, case) < TOLERANCE


@pytest.mark.parametrize("case", LIVE, ids=str)
def test_we_answer_as_pytorch_does(case):
    pytest.importorskip("torch")
    found = run_case(case)
    stack = from_torch(weights_of(found), case.kind, bias=case.bias)
    assert error_of(stack, case.kind, found) < TOLERANCE


@pytest.mark.parametrize("kind", ("lstm", "gru"))
def test_pytorch_answers_the_same_with_what_we_write(kind):
    pytest.importorskip("torch")
    case = Case(kind, layers=2, bidirectional=True, proj_size=2 if kind == "lstm" else 0)
    stack = from_torch(weights_of(run_case(case)), kind)
    written = run_case(case, state=to_torch(stack, kind))
    assert error_of(stack, kind, written) < TOLERANCE


def test_a_state_dict_is_read_as_it_is():
    torch = pytest.importorskip("torch")
    layer = torch.nn.LSTM(5, 3)
    ((cell,),) = from_torch(layer.state_dict(), "lstm")
    assert (layer.weight_ih_l0.detach().numpy() == cell["input_kernel"].T).all()
