"""Training in bfloat16: what is rounded, what is not, and how far gradients are from float32's."""

import collections
import re
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.build.learner import build_language_learner, build_seq2seq_learner
from seqjax.build.model import (
    build_classifier,
    build_language_model,
    build_seq2seq,
    build_tagger,
)
from seqjax.build.steps import build_classifier_learner, build_tagger_learner
from seqjax.build.training import build_training
from seqjax.config import ModelConfig, ObjectiveConfig, OptimizerConfig
from seqjax.types import Batch, Padded

ROWS, TIME, VOCAB = 64, 64, 30
KEY = jax.random.key(5)

LOOKING = {"attention": "additive", "coverage": True, "copying": True}
PARTS = {"projection_size": 10, "direction": "forward", "lstm_variant": "gate_recurrence"}
MODELS = {
    "lstm looks, copies and feeds": ("text-to-text", {**LOOKING, "input_feeding": True}),
    "lstm looks and copies": ("text-to-text", LOOKING),
    "lstm": ("language-model", {}),
    "gru": ("language-model", {"cell": "gru", "unroll": "scan", "tied_embeddings": False}),
    "min_lstm": ("language-model", {"cell": "min_lstm"}),
    "layer norm": ("language-model", {"layer_norm": True}),
    "lstm looks": ("text-to-text", {}),
    "lstm of all parts": ("text-to-text", PARTS),
    "gru weighs sides": (
        "text-to-text",
        {"cell": "gru", "attention": "scaled_dot", "context_gate": "both", "bridge": "mean"},
    ),
    "gru classifies": ("classification", {"cell": "gru", "pooling": "attention"}),
    "lstm tags": ("tagging", {"crf": True}),
    **{
        cell: ("language-model", {"cell": cell, "tied_embeddings": False})
        for cell in ("gru_reset_before", "mgu", "rnn", "rnn_relu", "min_gru", "slstm")
    },
}
BY_DEFAULT = ("lstm looks and copies", "lstm", "min_lstm", "layer norm")
LONGEST = {"layer norm": 12}
"""Tokens of a row, where they are random; see the test of what is far."""


def learner(name, compute, **more):
    task, settings = MODELS[name]
    sizes = {"embedding_size": 16, "hidden_size": 24, "dropout": 0.0, "compute": compute}
    config = ModelConfig(**sizes, **settings, **more)
    match task:
        case "language-model":
            model = build_language_model(config, vocab_size=VOCAB)
            return build_language_learner(model, ObjectiveConfig(), ROWS)
        case "classification":
            model = build_classifier(config, vocab_size=VOCAB, num_classes=VOCAB)
            return build_classifier_learner(model, ObjectiveConfig())
        case "tagging":
            model = build_tagger(config, vocab_size=VOCAB, num_tags=VOCAB)
            return build_tagger_learner(model, ObjectiveConfig())
        case "text-to-text":
            vocabularies = {"source_vocab_size": VOCAB, "target_vocab_size": VOCAB}
            model = build_seq2seq(config, **vocabularies, bos_id=1, unk_id=3)
            return build_seq2seq_learner(model, ObjectiveConfig())


def batches(name, longest=TIME):
    """Returns a batch of anything and one in which every token is the same."""
    rng = np.random.default_rng(0)
    full = np.full(ROWS, TIME, np.int32)
    several = rng.integers(4, VOCAB, (ROWS, TIME)), rng.integers(1, longest + 1, ROWS)
    made = []
    for values, lengths in (several, (np.full((ROWS, TIME), 7), full)):
        read = Padded(jnp.asarray(values, jnp.int32), jnp.asarray(lengths, jnp.int32))
        said = read._replace(values=jnp.roll(read.values, -1, axis=1))
        if MODELS[name][0] == "classification":
            said = Padded(said.values[:, :1], jnp.ones_like(said.lengths))
        if MODELS[name][1].get("copying"):
            read = read._replace(values=jnp.stack([read.values] * 2, axis=-1))
        made.append(Batch(read, said))
    return made


def loss_fn(learner, *, train):
    def loss(params, batch):
        mean, _ = learner.loss_fn(params, learner.memory, batch, KEY, jnp.int32(0), train=train)
        return mean.value()

    return loss


def apart(gradient, expected):
    """Returns how far each leaf is from what is expected, over the norm of the latter."""
    found = dict(jax.tree_util.tree_leaves_with_path(gradient))
    distances = {}
    for path, leaf in jax.tree_util.tree_leaves_with_path(expected):
        assert found[path].dtype == leaf.dtype == jnp.float32
        where = jax.tree_util.keystr(path, simple=True, separator="/")
        norms = [np.linalg.norm(np.ravel(array)) for array in (found[path] - leaf, leaf)]
        distances[where] = norms[0] / norms[1]
    return distances


def gradient_fns(name):
    """Returns the weights of a model, and its gradient in float32 and in bfloat16."""
    exact, half = (learner(name, compute) for compute in ("float32", "bfloat16"))
    params = jax.jit(exact.init)(batches(name)[0], jax.random.key(3))
    return params, *(jax.jit(jax.grad(loss_fn(one, train=True))) for one in (exact, half))


@pytest.mark.parametrize(
    "name",
    [pytest.param(n, marks=[] if n in BY_DEFAULT else pytest.mark.slow) for n in MODELS],
)
def test_every_gradient_is_near_that_of_float32(name):
    """Also of 4096 equal tokens: what each adds to a sum is as large as what the others do."""
    params, exact_fn, half_fn = gradient_fns(name)
    for batch in batches(name, LONGEST.get(name, TIME)):
        distances = apart(half_fn(params, batch), exact_fn(params, batch))
        assert max(distances.values()) <= 0.05, distances
        assert max(distances.values()) > 1e-4  # something was rounded


@pytest.mark.slow
def test_where_a_gradient_is_far_that_of_float32_is_as_far_at_rounded_weights():
    """An LSTM with layer normalisation that has not learnt makes much of little over 64 steps."""
    params, exact_fn, half_fn = gradient_fns("layer norm")
    batch, _ = batches("layer norm")
    expected = exact_fn(params, batch)
    rounded = jax.tree.map(lambda leaf: leaf.astype(jnp.bfloat16).astype(leaf.dtype), params)
    distances = apart(half_fn(params, batch), expected)
    of_float32 = apart(exact_fn(rounded, batch), expected)
    assert 0.05 < max(distances.values()) < max(of_float32.values())


class Product(NamedTuple):
    """A product of a program: the types of its operands and of what comes out, and its shapes."""

    operands: tuple[str, str]
    out: str
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    in_loop: bool


def equations(jaxpr, in_loop=False):
    """Yields those of a program as an accelerator has it, and whether each is in a loop."""
    for equation in jaxpr.eqns:
        yield equation, in_loop
        inner = list(equation.params.values())
        if None in (equation.params.get("branches_platforms") or ()):
            inner = [equation.params["branches"][-1]]  # of any other platform than the CPU
        for part in jax.tree.leaves(inner):
            part = getattr(part, "jaxpr", part)
            if hasattr(part, "eqns"):
                yield from equations(part, in_loop or equation.primitive.name == "scan")


def products(jaxpr):
    found = []
    for equation, in_loop in equations(jaxpr):
        if equation.primitive.name == "dot_general":
            sides, (out,) = [atom.aval for atom in equation.invars], equation.outvars
            types, shapes = ([getattr(s, name) for s in sides] for name in ("dtype", "shape"))
            found.append(
                Product(tuple(map(str, types)), str(out.aval.dtype), tuple(shapes), in_loop)
            )
    return found


def widened(jaxpr):
    """Returns what is made of bfloat16 numbers but for products: nothing may be added up in it."""
    made = [one for one, _ in equations(jaxpr) if one.primitive.name == "convert_element_type"]
    return [one for one in made if one.invars[0].aval.dtype == jnp.bfloat16]


RECURRENT = ((ROWS, 24), (24, 96))
TO_HIDDEN = ((ROWS, 96), (24, 96))
TO_KERNEL_AT_ONCE = ((ROWS, TIME, 24), (ROWS, TIME, 96))
TO_KERNEL_BY_STEP = ((ROWS, 24), (ROWS, 96))
LOGITS = ((ROWS, TIME, 16), (16, VOCAB))
FROM_LOGITS = [((ROWS, TIME, VOCAB), (16, VOCAB)), ((ROWS, TIME, 16), (ROWS, TIME, VOCAB))]
IN_LOOP = [RECURRENT, TO_HIDDEN]


@pytest.mark.standard_promotion
@pytest.mark.parametrize(
    ("name", "way", "in_loop", "outside"),
    (
        ("lstm", "scan", [*IN_LOOP, TO_KERNEL_BY_STEP], []),
        ("lstm", "fused", IN_LOOP, [TO_KERNEL_AT_ONCE]),
        ("min_lstm", "parallel", [], [((ROWS, TIME, 16), (16, 72))]),
        ("lstm looks", "fused", IN_LOOP, [TO_KERNEL_AT_ONCE]),
    ),
)
def test_a_step_multiplies_in_bfloat16_and_adds_and_keeps_in_float32(name, way, in_loop, outside):
    """All of its products; those of the recurrence and of the logits are counted."""
    learnt = learner(name, "bfloat16", unroll=way)
    batch, _ = batches(name)
    params = jax.eval_shape(learnt.init, batch, KEY)
    training = build_training(OptimizerConfig(average_decay=0.9), learnt, total_steps=10)
    state = jax.eval_shape(training.init_fn, params)
    program, (after, _) = jax.make_jaxpr(training.step_fn, return_shape=True)(state, batch, KEY)
    assert jax.tree.map(lambda leaf: leaf.dtype, after) == jax.tree.map(
        lambda leaf: leaf.dtype, state
    )
    assert jnp.bfloat16 not in [leaf.dtype for leaf in jax.tree.leaves((state, after))]
    found = products(program.jaxpr)
    assert {(one.operands, one.out) for one in found} == {(("bfloat16",) * 2, "float32")}
    assert not widened(program.jaxpr)
    wanted = [(shapes, True) for shapes in in_loop]
    wanted += [(shapes, False) for shapes in (*outside, LOGITS, *FROM_LOGITS)]
    counts = collections.Counter((one.shapes, one.in_loop) for one in found)
    assert [counts[one] for one in wanted] == [1] * len(wanted)
    # What is used, not learnt: the same program as in float32.
    used = [
        str(jax.make_jaxpr(loss_fn(one, train=False))(params, batch))
        for one in (learnt, learner(name, "float32", unroll=way))
    ]
    assert "bf16" not in used[0]
    assert " dot_general[" in used[0]
    assert [text.count(" dot_general[") for text in used] == [used[1].count(" dot_general[")] * 2


def test_a_decoder_that_answers_multiplies_in_float32():
    learnt = learner("lstm looks, copies and feeds", "bfloat16")
    batch, _ = batches("lstm looks, copies and feeds")
    params = jax.eval_shape(learnt.init, batch, KEY)

    def begin(params, source):
        state, memory = learnt.model.apply({"params": params}, source, method="encode")
        tokens = source.values[:, 0, 0]
        return learnt.model.apply({"params": params}, state, memory, tokens, method="step")

    assert "bf16" not in str(jax.make_jaxpr(begin)(params, batch.inputs))


def test_cudnn_computes_in_float32_alone():
    said = "model.compute must be float32 when model.unroll is cudnn, got bfloat16"
    with pytest.raises(ValueError, match=re.escape(said)):
        ModelConfig(unroll="cudnn", compute="bfloat16")
    assert ModelConfig(unroll="cudnn").compute == "float32"
