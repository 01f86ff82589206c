"""What `lattice/test_ctc.py` has of single rows, as the loss of a batch."""

import jax
import numpy as np
from lattice.cases import CASES, batch_of, fits
from oracles.paths import every_labelling, log_softmax

from seqjax.losses import ctc_loss
from seqjax.types import sum_means


@jax.jit
def loss_and_gradient(logits, lengths, labels):
    def value(logits):
        found = ctc_loss(logits, lengths, labels, blank_id=0)
        return found.loss.total, found

    (_, found), gradient = jax.value_and_grad(value, has_aux=True)(logits)
    return found, gradient


def test_it_is_in_nats_per_label_and_counts_what_is_impossible():
    batch = batch_of(CASES)
    nats = weight = 0
    for logits, (length, said) in zip(batch[0], CASES, strict=True):
        if fits(length, said):
            nats -= every_labelling(log_softmax(logits[:length]), 0)[said]
            weight += len(said)
    whole, _ = loss_and_gradient(*batch)
    np.testing.assert_allclose(whole.loss, (nats, weight), rtol=1e-6)
    # Of the ten rows one only fills up the batch.
    assert whole.impossible == (3, 9)


def test_parts_add_up():
    batch = batch_of(CASES)
    whole, gradient = loss_and_gradient(*batch)
    parts = [
        loss_and_gradient(*jax.tree.map(lambda leaf, cut=cut: leaf[cut], batch))
        for cut in (slice(0, 5), slice(5, 10))
    ]
    for name in ("loss", "impossible"):
        added = sum_means(getattr(part, name) for part, _ in parts)
        np.testing.assert_allclose(added, getattr(whole, name), rtol=1e-6)
    np.testing.assert_allclose(np.concatenate([g for _, g in parts]), gradient, atol=1e-6)


def test_what_is_impossible_has_no_gradient_and_disturbs_no_other_row():
    batch = batch_of(CASES)
    _, gradient = loss_and_gradient(*batch)
    assert np.isfinite(gradient).all()
    moved = np.any(np.asarray(gradient) != 0, axis=(1, 2))
    assert moved.tolist() == [fits(*case) and case[0] > 0 for case in CASES]
