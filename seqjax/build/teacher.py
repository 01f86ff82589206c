"""Trained runs as teachers: what they would say is learnt as well as what is right."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp

from seqjax.build.model import build_language_model, build_seq2seq
from seqjax.config import Config
from seqjax.data.vocabulary import Vocabulary
from seqjax.errors import InputError
from seqjax.rundir import load_weights, open_run
from seqjax.types import Padded, Parameters


class Teacher(NamedTuple):
    """A trained model. Its weights are neither learnt nor kept with those of its pupil.

    Attributes:
      model: The linen module.
      params: Its weights.
    """

    model: Any
    params: Parameters


def build_teachers(config: Config, vocabularies: Mapping[str, Any]) -> tuple[Teacher, ...]:
    """Returns the teachers that `config.objective.teacher` names.

    Raises:
      InputError: If one is no run, of another task, copies, or has other vocabularies.
    """
    return tuple(_load(path, config, vocabularies) for path in config.objective.teacher)


def seq2seq_says(
    teachers: Sequence[Teacher], params: Sequence[Parameters], source: Padded, target: Padded
) -> list[Any]:
    """Returns each teacher's logits of the target's tokens, given the true ones before them."""
    return [
        teacher.model.apply({"params": jax.lax.stop_gradient(own)}, source, target)[0]
        for teacher, own in zip(teachers, params, strict=True)
    ]


def language_says(
    teachers: Sequence[Teacher],
    params: Sequence[Parameters],
    tokens: Padded,
    carries: Sequence[Any],
) -> tuple[list[Any], tuple[Any, ...]]:
    """Returns each teacher's logits after every token, and its state after the last."""
    said = [
        teacher.model.apply({"params": jax.lax.stop_gradient(own)}, tokens, carry)
        for teacher, own, carry in zip(teachers, params, carries, strict=True)
    ]
    return [logits for _, logits in said], tuple(carry for carry, _ in said)


def _load(path: str, config: Config, vocabularies: Mapping[str, Any]) -> Teacher:
    run = open_run(path)
    theirs = run.read_network_config()
    if theirs.task != config.task:
        raise InputError(
            f"{run.path}: is a {theirs.task} run and cannot teach a {config.task}; "
            f"name another --objective.teacher"
        )
    if theirs.model.copying:
        raise InputError(
            f"{run.path}: copies, and what it says is not of one vocabulary; train on its answers "
            f"instead (seqjax decode)"
        )
    for side, vocabulary in vocabularies.items():
        if Vocabulary.load(run.vocabulary, side).fingerprint() != vocabulary.fingerprint():
            raise InputError(
                f"{run.path}: its {side} vocabulary is another one than this training has; a "
                f"teacher must be trained on the same data, cut the same way"
            )
    model, shapes = _model(theirs, vocabularies)
    params = load_weights(run.best_weights)[0]
    if jax.tree.map(jnp.shape, params) != jax.tree.map(jnp.shape, shapes):
        raise InputError(
            f"{run.best_weights}: the weights are not those of the run's config; restore config "
            f"and weights of one training"
        )
    return Teacher(model, jax.tree.map(jnp.asarray, params))


def _model(config: Config, vocabularies: Mapping[str, Any]) -> tuple[nn.Module, Any]:
    """Returns a run's model and the shapes of its weights. What cuDNN trained needs no GPU here."""
    settings = config.model
    if settings.unroll == "cudnn":
        settings = dataclasses.replace(settings, unroll="auto")
    one = Padded(jnp.zeros((1, 1), jnp.int32), jnp.ones((1,), jnp.int32))
    key = jax.random.key(0)
    if config.task == "language-model":
        model = build_language_model(settings, vocab_size=len(vocabularies["text"]))
        variables: Any = jax.eval_shape(lambda: model.init(key, one, model.initial_carry(1)))
        return model, variables["params"]
    model = build_seq2seq(
        settings,
        source_vocab_size=len(vocabularies["source"]),
        target_vocab_size=len(vocabularies["target"]),
        bos_id=vocabularies["target"].bos_id,
        unk_id=vocabularies["target"].unk_id,
    )
    variables = jax.eval_shape(lambda: model.init(key, one, one))
    return model, variables["params"]
