"""Whole runs, from configuration to answers: small tasks are learnt, large ones in `slow`."""

import contextlib
import dataclasses
import random

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from seqjax.config import (
    Config,
    DataConfig,
    DecodeConfig,
    ModelConfig,
    ObjectiveConfig,
    OptimizerConfig,
    ValidationConfig,
)
from seqjax.data.readers import Pairs
from seqjax.predict.answer import silent
from seqjax.presets import PRESETS
from seqjax.rundir import load_weights
from seqjax.runs import conclude, road
from seqjax.runs.trained import load

pytestmark = pytest.mark.standard_promotion


class Counting(road.Silent):
    """A spectator that counts compilations."""

    def __init__(self):
        self.compiled = []

    @contextlib.contextmanager
    def compiling(self, what):
        self.compiled.append(what)
        yield


def learn(run_dir, task, *, steps, spectator, buckets, longest=6, rate=5e-3, **model):
    config = Config(
        run_dir=str(run_dir),
        steps=steps,
        data=DataConfig(embedded=task, examples=6_000, max_length=longest, buckets=buckets),
        model=ModelConfig(embedding_size=32, hidden_size=64, dropout=0.0, **model),
        optimizer=OptimizerConfig(learning_rate=rate, schedule="cosine", warmup_steps=20),
        validation=ValidationConfig(every=steps, examples=50),
        decode=DecodeConfig(beam_size=3),
    )
    outcome = road.train(config, spectator)
    trained = load(str(outcome.run.path))
    return outcome, trained, conclude.evaluate(trained, outcome.data.test)


@pytest.mark.parametrize(
    ("task", "steps", "buckets", "more"),
    (
        ("reverse", 150, 2, {"longest": 4, "rate": 8e-3}),
        *(
            pytest.param("copy", 300, 1, model, marks=pytest.mark.slow)
            for model in (
                {"input_feeding": True, "attention": "additive"},
                {"encoder_layers": 2, "decoder_layers": 2, "residual": True, "cell": "gru"},
                {"direction": "backward", "same_dropout": True, "context_gate": "both"},
                {"coverage": True, "copying": True, "cell": "slstm"},
            )
        ),
    ),
)
def test_short_strings_are_learnt_and_each_shape_is_compiled_once(
    tmp_path, task, steps, buckets, more
):
    spectator = Counting()
    outcome, trained, evaluation = learn(
        tmp_path / "run", task, steps=steps, spectator=spectator, buckets=buckets, **more
    )
    shapes = [what for what in spectator.compiled if what.startswith("training")]
    assert len(shapes) == outcome.compilations == len(outcome.data.statistics["shapes"]) == buckets
    assert len(set(spectator.compiled)) == len(spectator.compiled)
    assert evaluation.scores["exact_match"] >= 0.9
    assert evaluation.scores["ended"] == 1.0
    text = outcome.data.test.sources[0]
    assert trained.decode([text, "", text])[1] == ""
    assert trained.decode([text])[0] == trained.decode(["abc", text])[1]


@pytest.mark.slow
def test_bfloat16_learns_what_float32_does_and_hands_it_on(tmp_path):
    scores, runs = {}, {}
    for compute in ("float32", "bfloat16"):
        run_dir, silent = tmp_path / compute, road.Silent()
        outcome, _, evaluation = learn(
            run_dir, "reverse", steps=300, spectator=silent, buckets=1, compute=compute
        )
        leaves = jax.tree.leaves((outcome.state, load_weights(outcome.run.best_weights)[0]))
        assert jnp.bfloat16 not in [leaf.dtype for leaf in leaves]
        scores[compute], runs[compute] = evaluation.scores["exact_match"], outcome
    assert min(scores.values()) >= 0.9, scores
    assert runs["bfloat16"].progress.best == pytest.approx(runs["float32"].progress.best, abs=0.05)
    half = runs["bfloat16"].run
    settings = dataclasses.replace(half.read_config(), steps=1, start_from=str(half.path))
    exact = dataclasses.replace(settings.model, compute="float32")
    begun = road.train(dataclasses.replace(settings, model=exact, run_dir=str(tmp_path / "on")))
    best, _ = load_weights(half.best_weights)  # the rate of the first step is 0
    jax.tree.map(np.testing.assert_array_equal, best, begun.state.params)


@pytest.mark.slow
def test_a_pyramid_that_reads_two_letters_at_once_says_each_of_them(tmp_path):
    pyramid = {"encoder_layers": 2, "pyramid": True}
    *_, evaluation = learn(
        tmp_path / "run", "copy", steps=600, spectator=road.Silent(), buckets=1, **pyramid
    )
    assert evaluation.scores["exact_match"] >= 0.95


@pytest.mark.slow
def test_names_never_seen_are_copied(tmp_path):
    """Of `say NAME twice` the name is what is to be said, and none is in the vocabulary."""
    rng = random.Random(0)
    names = ["".join(rng.choices("abcdefghij", k=6)) for _ in range(1_040)]
    lines = [f"{rng.choice(('say', 'shout'))} {name} now\tyes {name}\n" for name in names]
    for part, stretch in (("train", lines[:1_000]), ("valid", lines[1_000:])):
        (tmp_path / f"{part}.tsv").write_text("".join(stretch))
    config = Config(
        run_dir=str(tmp_path / "run"),
        train=(str(tmp_path / "train.tsv"),),
        valid=(str(tmp_path / "valid.tsv"),),
        steps=60,
        data=DataConfig(
            source_tokens="words", target_tokens="words", min_count=2, batch_size=64, buckets=1
        ),
        model=ModelConfig(embedding_size=16, hidden_size=32, dropout=0.0, copying=True),
        objective=ObjectiveConfig(coverage_weight=0.1),
        optimizer=OptimizerConfig(learning_rate=1e-2, warmup_steps=5),
        validation=ValidationConfig(every=60, metric="exact_match", examples=40),
    )
    outcome = road.train(config)
    assert outcome.progress.best >= 0.9
    trained = load(str(outcome.run.path))
    assert trained.decode(["say zzzz now", "say Zoe now"]) == ["yes zzzz", "yes Zoe"]
    sampled = DecodeConfig(method="sample", n_best=2, temperature=30.0)  # anything that can be said
    answerer = trained.answer_fn(sampled)
    alone = answerer(trained.weights, ["say zzzz now"])[0]
    beside = answerer(trained.weights, ["say zzzz now", "say " + "very " * 20 + "much now"])[0]
    assert [one.text for one in alone] == [one.text for one in beside]
    look = trained.task.look_fn(trained.learnt, silent)
    (example,) = look(trained.params, Pairs(["say zzzz now"], ["yes zzzz"]))
    assert example.target_tokens == ["yes", "zzzz", "EOS"]
    assert example.weights.shape == (3, 3)


@pytest.mark.slow
@pytest.mark.parametrize("task", ("copy", "reverse"))
@pytest.mark.parametrize("seed", (0, 1, 2))
def test_longer_strings_are_learnt_for_every_seed(tmp_path, task, seed):
    config = Config(
        run_dir=str(tmp_path / "run"),
        steps=1_500,
        seed=seed,
        data=DataConfig(embedded=task, examples=20_000, max_length=12, buckets=3),
        model=ModelConfig(embedding_size=32, hidden_size=96, dropout=0.0),
        optimizer=OptimizerConfig(learning_rate=4e-3, schedule="cosine", warmup_steps=50),
        validation=ValidationConfig(every=500),
    )
    outcome = road.train(config)
    trained = load(str(outcome.run.path))
    assert conclude.evaluate(trained, outcome.data.test).scores["exact_match"] >= 0.98


@pytest.mark.slow
def test_dates_reach_their_goal(tmp_path):

    config = dataclasses.replace(PRESETS["dates"], run_dir=str(tmp_path / "run"))
    outcome = road.train(config)
    trained = load(str(outcome.run.path))
    assert conclude.evaluate(trained, outcome.data.test).scores["exact_match"] >= 0.99
