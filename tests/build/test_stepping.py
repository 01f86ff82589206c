"""Models as a search sees them, and what an embedding starts from."""

import jax
import jax.numpy as jnp
import numpy as np

from seqjax.build.model import build_seq2seq
from seqjax.build.stepping import encode, seq2seq_step_fn
from seqjax.build.vectors import started_table
from seqjax.config import ModelConfig
from seqjax.data.vectors import Vectors
from seqjax.types import Padded

COPYING = ModelConfig(embedding_size=4, hidden_size=6, dropout=0.0, copying=True)
VOCAB, MOST = 7, 9


def test_a_copying_step_has_columns_for_the_longest_source_whatever_the_batch():
    """Else what is drawn would depend on how long the sources beside it are."""
    model = build_seq2seq(COPYING, source_vocab_size=7, target_vocab_size=VOCAB, bos_id=1, unk_id=3)
    ids = jnp.stack([jnp.array([4, 5, 6]), jnp.array([5, 8, 6])], axis=-1)[None]
    source = Padded(ids, jnp.array([3]))
    target = Padded(jnp.array([[4]]), jnp.array([1]))
    shapes = jax.eval_shape(model.init, jax.random.key(0), source, target)["params"]
    draw = np.random.default_rng(0).normal
    params = jax.tree.map(lambda leaf: draw(size=leaf.shape).astype("f"), shapes)

    @jax.jit
    def first_logits(params, source):
        state, memory = encode(model, params, source, covering=False)
        step_fn = seq2seq_step_fn(model, params, memory, most_source=MOST)
        return step_fn(jnp.array([1]), state)[0]

    logits = {}
    for room in (3, 5):
        wide = source._replace(values=jnp.pad(ids, ((0, 0), (0, room - 3), (0, 0))))
        logits[room] = first_logits(params, wide)
        assert logits[room].shape == (1, VOCAB + MOST)
    np.testing.assert_allclose(logits[3], logits[5], rtol=1e-5)
    can_be_said = np.flatnonzero(np.isfinite(logits[3][0])).tolist()
    assert can_be_said == [*range(VOCAB), 8]  # 8 is the slot of the second source token


def test_rows_beside_a_constant_vector_stay_what_they_were():
    """Its spread is nothing, and rows scaled to nothing could never be told apart."""
    table = jnp.asarray(np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32))
    found = started_table(table, Vectors(np.array([2]), np.ones((1, 3), np.float32)))
    np.testing.assert_array_equal(found[2], np.ones(3))
    np.testing.assert_allclose(np.delete(found, 2, 0), np.delete(table, 2, 0), rtol=1e-6)
