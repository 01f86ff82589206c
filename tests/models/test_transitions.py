import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from seqjax import decode
from seqjax.losses import crf_loss, cross_entropy
from seqjax.models.transitions import TagTransitions
from seqjax.types import Padded

TAGS = Padded(jnp.array([[0, 1, 2, 0, 1, 2], [2, 0, 1, 2, 0, 0]]), jnp.array([6, 5]))


def test_before_anything_is_learnt_the_loss_is_the_cross_entropy():
    module = TagTransitions(3)
    emissions = jax.random.normal(jax.random.key(0), (2, 6, 3))
    transitions = module.apply(module.init(jax.random.key(1)))
    np.testing.assert_allclose(
        jax.jit(crf_loss)(emissions, TAGS, transitions), cross_entropy(emissions, TAGS), rtol=1e-5
    )


@pytest.mark.slow
@pytest.mark.standard_promotion
def test_transitions_are_learnt_where_emissions_say_nothing():
    """Tags go round: 0 1 2 0 1 2. Each is uncertain by itself, and the first one decides."""
    module, optimizer = TagTransitions(3), optax.sgd(0.5)
    variables = module.init(jax.random.key(0))
    emissions = jnp.zeros((2, 6, 3))

    @jax.jit
    def update(variables, state):
        loss = lambda variables: crf_loss(emissions, TAGS, module.apply(variables)).value()
        updates, state = optimizer.update(jax.grad(loss)(variables), state)
        return optax.apply_updates(variables, updates), state

    state = optimizer.init(variables)
    for _ in range(100):
        variables, state = update(variables, state)
    begun = emissions.at[:, 0].set(jax.nn.one_hot(TAGS.values[:, 0], 3) * 5.0)
    found = decode.viterbi(begun, TAGS.lengths, module.apply(variables), pad_id=0)
    np.testing.assert_array_equal(found.tokens[:, 0], TAGS.values)
