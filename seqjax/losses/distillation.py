"""What it costs to say something else than a teacher does."""

from collections.abc import Sequence

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from seqjax.masking import length_mask, where_valid
from seqjax.types import Mean


def teacher_log_probs(
    logits: Sequence[Float[Array, "batch time vocab"]], temperature: float
) -> Float[Array, "batch time vocab"]:
    """Returns the logarithm of the mean of several teachers' probabilities, each softened.

    Args:
      logits: Of each teacher; no gradient flows to them.
      temperature: What they are divided by.
    """
    each = [jax.nn.log_softmax(jax.lax.stop_gradient(one) / temperature) for one in logits]
    return jax.nn.logsumexp(jnp.stack(each), axis=0) - jnp.log(float(len(each)))


def distillation_loss(
    logits: Float[Array, "batch time vocab"],
    teacher: Float[Array, "batch time vocab"],
    lengths: Int[Array, " batch"],
    temperature: float,
) -> Mean:
    r"""Returns :math:`T^2` times the divergence of the model from its teacher, per valid token.

    :math:`\sum_v q_v (\log q_v - \log p_v)` with q the teacher's probabilities and p the softmax of
    `logits / T`: 0 where both say the same, with the gradient of the cross-entropy of q and p.

    Args:
      logits: Of the model. What stands at padding changes nothing.
      teacher: As `teacher_log_probs` gives it at the same temperature.
      lengths: Valid tokens of each row.
      temperature: T, which lets less likely tokens be heard; its square makes up for gradients that
        are smaller by as much.

    References:
      Hinton, Vinyals & Dean, "Distilling the knowledge in a neural network", 2015, section 2; Kim &
      Rush, "Sequence-level knowledge distillation", 2016, section 3.1, with T = 1.
    """
    mask = length_mask(lengths, logits.shape[1])
    logits, teacher = (where_valid(mask, side) for side in (logits, teacher))
    apart = jnp.where(
        teacher > -jnp.inf, teacher - jax.nn.log_softmax(logits / temperature), 0.0
    )  # what has no probability adds nothing
    costs = where_valid(mask, jnp.sum(jnp.exp(teacher) * apart, axis=-1))
    return Mean(temperature**2 * jnp.sum(costs), jnp.sum(mask).astype(jnp.float32))
