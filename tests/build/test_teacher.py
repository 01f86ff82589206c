"""Learning what trained runs would say: the loss by hand, and whom nobody can learn from."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.build.learner import build_language_learner, build_seq2seq_learner
from seqjax.build.model import build_language_model, build_seq2seq
from seqjax.build.teacher import Teacher, build_teachers
from seqjax.config import Config, DataConfig, ModelConfig, ObjectiveConfig, ValidationConfig
from seqjax.data.vocabulary import Vocabulary
from seqjax.errors import InputError
from seqjax.rundir import create_run, save_weights
from seqjax.runs import road
from seqjax.types import Batch, Padded

SMALL = ModelConfig(
    embedding_size=4, hidden_size=4, direction="forward", dropout=0.0, unroll="scan"
)
TARGET = Padded(jnp.array([[4, 3, 4, 2], [3, 2, 0, 0]]), jnp.array([4, 2]))
CONFIG = ObjectiveConfig(teacher=("a", "b"), teacher_weight=0.3, teacher_temperature=2.0)


def by_hand(logits, teachers):
    """0.7 of the cross-entropy, 0.3 of 4 times the divergence from the mean at temperature 2."""
    total = 0.0
    softmax = lambda z: np.exp(z) / np.exp(z).sum()
    for row, length in enumerate((4, 2)):
        for time in range(length):
            z = np.asarray(logits[row, time], np.float64)
            q = np.mean([softmax(np.asarray(one[row, time]) / 2) for one in teachers], axis=0)
            total -= 0.7 * np.log(softmax(z)[TARGET.values[row, time]])
            total += 0.3 * 4 * np.sum(q * np.log(q / softmax(z / 2)))
    return total


def test_a_translator_learns_from_its_teachers_and_they_learn_nothing():
    model = build_seq2seq(SMALL, source_vocab_size=5, target_vocab_size=5, bos_id=1)
    source = Padded(TARGET.values[:, ::-1], TARGET.lengths)
    batch, key = Batch(source, TARGET), jax.random.key(0)
    own, *theirs = [
        jax.tree.map(lambda leaf: 2 * leaf, model.init(jax.random.key(seed), source, TARGET))
        for seed in range(3)
    ]
    given = tuple(one["params"] for one in theirs)
    teachers = [Teacher(model, params) for params in given]
    learner = build_seq2seq_learner(model, CONFIG, teachers=teachers)

    def loss(params, given):
        return learner.loss_fn(params, (), batch, key, jnp.asarray(0), train=True, given=given)[
            0
        ].total

    said = jax.jit(lambda one: model.apply(one, source, TARGET)[0])
    wanted = by_hand(said(own), [said(one) for one in theirs])
    got, slopes = jax.jit(jax.value_and_grad(loss, argnums=(0, 1)))(own["params"], given)
    np.testing.assert_allclose(got, wanted, rtol=1e-5)
    assert all(np.any(leaf) for leaf in jax.tree.leaves(slopes[0]["decoder"]["cells_0"]))
    assert not any(np.any(leaf) for leaf in jax.tree.leaves(slopes[1]))


def test_teachers_of_a_language_model_go_on_from_window_to_window():
    model = build_language_model(SMALL, vocab_size=5)
    text = jnp.array([[1, 3, 4, 3, 3, 4, 4, 3, 2], [1, 4, 4, 3, 4, 3, 3, 2, 2]])
    whole = Padded(text[:, :8], jnp.array([8, 8]))
    own, *theirs = [
        jax.tree.map(
            lambda leaf: 2 * leaf,
            model.init(jax.random.key(seed), whole, model.initial_carry(2)),
        )
        for seed in range(3)
    ]
    given = tuple(one["params"] for one in theirs)
    teachers = [Teacher(model, params) for params in given]
    learner = build_language_learner(model, CONFIG, 2, teachers=teachers)
    cut = lambda start: Padded(text[:, start : start + 4], jnp.array([4, 4]))
    windows = [Batch(cut(start), cut(start + 1)) for start in (0, 4)]
    run = jax.jit(
        lambda memory, batch: learner.loss_fn(
            own["params"], memory, batch, jax.random.key(0), jnp.asarray(0), train=True, given=given
        )
    )
    memory, losses = learner.memory, []
    for window in windows:
        loss, (_, memory) = run(memory, window)
        losses.append(float(loss.total))
    one_batch = Batch(whole, Padded(text[:, 1:], jnp.array([8, 8])))
    np.testing.assert_allclose(sum(losses), run(learner.memory, one_batch)[0].total, rtol=1e-5)
    without = learner.loss_fn(
        own["params"], learner.memory, windows[1], jax.random.key(0), 0, train=False
    )
    assert jax.tree.structure(without[1][1]) == jax.tree.structure(learner.memory)


def settings(run_dir, **more):
    config = Config(
        run_dir=str(run_dir),
        steps=2,
        data=DataConfig(embedded="copy", examples=70, max_length=5, batch_size=16, buckets=1),
        model=ModelConfig(embedding_size=8, hidden_size=8),
        validation=ValidationConfig(every=2, examples=4),
    )
    return dataclasses.replace(config, **more)


def taught_by(path, **more):
    return ObjectiveConfig(teacher=(str(path),), **more)


@pytest.mark.slow
@pytest.mark.standard_promotion
def test_a_run_keeps_nothing_of_its_teacher(tmp_path):
    alone = road.train(settings(tmp_path / "teacher"))
    taught = road.train(
        settings(tmp_path / "pupil", objective=taught_by(tmp_path / "teacher", teacher_weight=1.0))
    )
    shapes = lambda outcome: jax.tree.map(jnp.shape, outcome.state)
    assert shapes(taught) == shapes(alone)
    losses = lambda outcome: [row["loss"] for row in outcome.run.history.rows() if "loss" in row]
    assert losses(alone) and losses(taught) != losses(alone)


def test_strangers_do_not_teach(tmp_path):
    vocabulary, other = (Vocabulary.build([text], "chars") for text in ("abc", "xyz"))
    ours = dict.fromkeys(("source", "target"), vocabulary)
    run = create_run(tmp_path / "teacher")
    run.write_config(settings("nowhere"))
    save_weights(run.best_weights, {"none": np.zeros(1)}, {})
    run.vocabulary.mkdir()
    for side in ours:
        vocabulary.save(run.vocabulary, side)
    config = settings("nowhere", objective=taught_by(run.path))
    with pytest.raises(InputError, match="its target vocabulary is another one than this training"):
        build_teachers(config, ours | {"target": other})
    speaker = Config(task="language-model", objective=config.objective)
    with pytest.raises(InputError, match="is a text-to-text run and cannot teach a language-model"):
        build_teachers(speaker, {"text": vocabulary})
    with pytest.raises(InputError, match="there is no such run"):
        build_teachers(settings("nowhere", objective=taught_by(tmp_path / "nobody")), ours)
    copier = dataclasses.replace(config.model, copying=True)
    run.write_config(settings("nowhere", model=copier))
    with pytest.raises(InputError, match="copies, and what it says is not of one vocabulary"):
        build_teachers(config, ours)
