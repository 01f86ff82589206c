"""A run that models language, network or n-grams, as something that a search listens to."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from seqjax.baselines.ngram_step import StepOrder, initial_state, ngram_step, step_tables
from seqjax.build.stepping import language_step_fn, unread
from seqjax.data.vocabulary import Vocabulary
from seqjax.decode.protocol import StepFn
from seqjax.errors import InputError
from seqjax.predict.continuer import line_end, line_start
from seqjax.predict.voices import Partner
from seqjax.runs.fitted import Fitted
from seqjax.runs.trained import Trained


def partner_of(language: Trained | Fitted, weight: float, target: Vocabulary) -> Partner:
    """Pairs the tokens of the answers with those of a language model, by what is written."""
    if language.config.task != "language-model":
        raise InputError(
            f"{language.run.path}: must be a language model to be listened to; train one with "
            "--task language-model"
        )
    text = language.vocabularies["text"]
    same = {"words": "text_words"}.get(target.kind, target.kind)
    if text.kind != same or target.kind == "subwords":
        raise InputError(
            f"{language.run.path}: its tokens are {text.kind}, those of the answers {target.kind}; "
            "both must be characters or both words"
        )
    specials = [text.pad_id, text.bos_id, line_end(text), text.unk_id]
    ids = [*specials, *(text.ids.get(token, text.unk_id) for token in target.tokens)]
    first_id = line_start(text)
    if isinstance(language, Fitted):
        return Partner(
            initial_state,
            lambda tables: _ngram_step_fn(tables, text.bos_id, first_id),
            weight,
            np.array(ids, np.int32),
        )
    model: Any = language.learner.model
    return Partner(
        lambda params, rows: unread(model, first_id, rows),
        lambda params: language_step_fn(model, params),
        weight,
        np.array(ids, np.int32),
    )


def heard(language: Trained | Fitted) -> Any:
    """Returns the weights of a language model, as its partner takes them."""
    return step_tables(language.weights) if isinstance(language, Fitted) else language.params


def _ngram_step_fn(tables: tuple[StepOrder, ...], bos_id: int, first_id: int) -> StepFn:
    """Returns n-grams as a search sees them, which begins with BOS: they read `first_id` for it."""

    def step_fn(tokens, state):
        read = jnp.where(tokens == bos_id, first_id, tokens)
        return ngram_step(tables, bos_id, read, state)

    return step_fn
