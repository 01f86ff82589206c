import jax
import jax.numpy as jnp
import numpy as np
import pytest
from sacrebleu.metrics.bleu import BLEU

from seqjax.losses import bleu_costs, edit_costs
from seqjax.metrics.edit import edit_distance
from seqjax.types import Padded


def drawn(seed, time, rows=60, kinds=4):
    rng = np.random.default_rng(seed)
    ids = rng.integers(0, kinds, size=(rows, time)).astype(np.int32)
    lengths = rng.integers(0, time + 1, size=rows).astype(np.int32)
    return Padded(jnp.asarray(ids), jnp.asarray(lengths))


def valid(side):
    return [
        row[:length].tolist()
        for row, length in zip(np.asarray(side.values), np.asarray(side.lengths), strict=True)
    ]


@pytest.mark.parametrize("times", [(9, 6), (5, 8), (1, 1)])
def test_edit_costs_are_edits_over_reference_tokens(times):
    answers, references = drawn(0, times[0]), drawn(1, times[1])
    wanted = [
        edit_distance(answer, reference) / max(len(reference), 1)
        for answer, reference in zip(valid(answers), valid(references), strict=True)
    ]
    np.testing.assert_allclose(jax.jit(edit_costs)(answers, references), wanted, rtol=1e-6)


@pytest.mark.parametrize("times", [(9, 6), (7, 12), (3, 2), (1, 1)])
def test_bleu_costs_are_those_of_sacrebleu(times):
    answers, references = drawn(2, times[0], kinds=3), drawn(3, times[1], kinds=3)
    judge = BLEU(smooth_method="add-k", smooth_value=1, effective_order=True, tokenize="none")
    say = lambda ids: " ".join(f"w{one}" for one in ids)
    wanted = [
        1 - judge.sentence_score(say(answer), [say(reference)]).score / 100
        for answer, reference in zip(valid(answers), valid(references), strict=True)
    ]
    np.testing.assert_allclose(jax.jit(bleu_costs)(answers, references), wanted, atol=1e-5)


@pytest.mark.parametrize("costs_fn", [edit_costs, bleu_costs])
def test_padding_changes_no_cost_and_what_is_right_costs_nothing(costs_fn):
    answers, references = drawn(4, 6), drawn(5, 7)
    widened = [
        Padded(jnp.pad(jnp.where(mask, side.values, 2), ((0, 0), (0, 3))), side.lengths)
        for side in (answers, references)
        for mask in [jnp.arange(side.values.shape[1])[None] < side.lengths[:, None]]
    ]
    costs_fn = jax.jit(costs_fn)
    costs = costs_fn(answers, references)
    np.testing.assert_allclose(costs_fn(*widened), costs, atol=1e-6)
    own = np.asarray(costs_fn(references, references))
    np.testing.assert_allclose(own[np.asarray(references.lengths) > 0], 0, atol=1e-6)
    assert np.all(np.asarray(costs) >= 0) and np.max(costs) > 0.5
