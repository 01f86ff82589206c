"""How unlikely labels are, if nobody says which frame they belong to."""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.lattice import label_log_probs
from seqjax.types import Mean, Padded


class CTCLoss(NamedTuple):
    """What labels cost, and how many rows there were that could not have any cost.

    Attributes:
      loss: Nats per label.
      impossible: Rows of which no path says the labels, over all rows. They are not in `loss`.
    """

    loss: Mean
    impossible: Mean


def ctc_loss(
    logits: Float[Array, "batch time vocab"],
    lengths: Int[Array, " batch"],
    labels: Padded,
    *,
    blank_id: int,
) -> CTCLoss:
    """Returns the negative log-likelihood of labels, summed over all ways to spread them.

    In nats, weighted by the number of labels, as every loss here is by what is to be said: the
    parts of a batch add up to it, and long rows count for more. A row without labels adds what its
    blanks cost and no weight. A row of which no path says the labels (too few frames for the labels
    and the blanks between those that repeat, or a logit of -inf) adds neither, has no gradient,
    and is counted. Rows without frames and labels, which only fill up a batch, have no part.

    Args:
      logits: Raw scores of the labels and the blank; what stands at padding changes nothing.
      lengths: Frames of each row; 0 is allowed.
      labels: Ids in `[0, vocab)` without the blank; a row may have none.
      blank_id: Id of the blank.

    References:
      Graves, Fernández, Gomez & Schmidhuber, "Connectionist temporal classification", 2006; there
      and in PyTorch's `reduction="sum"` divided by nothing. PyTorch's `mean` is a mean over rows of
      the mean over each row's labels.
    """
    log_probs = label_log_probs(logits, lengths, labels, blank_id=blank_id)
    impossible = log_probs == -jnp.inf
    is_row = (lengths > 0) | (labels.lengths > 0)
    count = lambda values: jnp.sum(values).astype(jnp.float32)
    return CTCLoss(
        Mean(
            -jnp.sum(jnp.where(impossible, 0.0, log_probs)),
            count(jnp.where(impossible, 0, labels.lengths)),
        ),
        Mean(count(impossible), count(is_row)),
    )
