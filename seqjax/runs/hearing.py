"""A run that says something at each step of its source, as one that answers: CTC, or aligned."""

import functools
from collections.abc import Sequence

import jax.numpy as jnp

from seqjax.config import DecodeConfig
from seqjax.decode.prefix_beam import Language
from seqjax.decode.protocol import Symbols
from seqjax.errors import InputError
from seqjax.predict.answer import Answer, Request, silent
from seqjax.predict.continuer import line_end, line_start
from seqjax.predict.voices import Weights
from seqjax.runs.listening import heard, partner_of
from seqjax.runs.together import Beside, Panel
from seqjax.runs.trained import Trained
from seqjax.tasks.aligned import Aligned
from seqjax.tasks.ctc import FramesToText, LanguageFn
from seqjax.train.compiled import AnnounceFn


class Hearing:
    """One run of CTC, or of aligned pairs; what a `Panel` is of encoder-decoders."""

    def __init__(
        self,
        run: Trained,
        decode: DecodeConfig,
        beside: Beside = Beside(),  # noqa: B008, it is a value
        announce: AnnounceFn = silent,
    ):
        """Args:
        run: What was trained.
        decode: How to search.
        beside: A language model may have a say beside CTC, and nothing else.
        announce: Told of compilations.

        Raises:
          InputError: If anything else is to have a say, or the language model has other tokens.
        """
        task = run.task
        assert isinstance(task, FramesToText | Aligned)
        _refuse_others(run, beside)
        theirs = () if beside.language_model is None else heard(beside.language_model)
        self._run = run
        self._weights = Weights((run.params,), theirs)
        if isinstance(task, FramesToText):
            answer_fn = functools.partial(task.answer_fn, language_fn=_language_fn(run, beside))
        else:
            answer_fn = task.answer_fn
        self._answer = answer_fn(run.learnt, run.searching(decode), announce)

    def __call__(self, requests: Sequence[str | Request], *, first: int = 0) -> list[list[Answer]]:
        """Returns the answers to each source, best first."""
        return self._answer(self._weights, requests, first=first)

    def cuts(self, text: str) -> bool:
        """Returns whether a source has more steps than are read of it."""
        return self._run.cuts(text)


def _refuse_others(run: Trained, beside: Beside) -> None:
    others = [beside.forbidden, beside.lexicon, beside.rerank, beside.keep]
    who = "beside CTC only a language model has a say (--language-model)"
    if isinstance(run.task, Aligned):
        others.append(beside.language_model)
        who = "beside a model of aligned pairs nothing has a say"
    if any(others) or beside.consensus != "none":
        raise InputError(f"{run.run.path}: {who}")


def _language_fn(run: Trained, beside: Beside) -> LanguageFn | None:
    language = beside.language_model
    if language is None:
        return None
    partner = partner_of(language, beside.language_weight, run.vocabularies["target"])
    text = language.vocabularies["text"]
    symbols = Symbols(line_start(text), line_end(text), text.pad_id)

    def language_fn(weights: Weights, rows: int) -> Language:
        return Language(
            partner.voice_fn(weights.partner),
            partner.start_fn(weights.partner, rows),
            partner.weight,
            jnp.zeros(len(partner.ids)),
            symbols,
            jnp.asarray(partner.ids),
        )

    return language_fn


def open_panel(
    runs: Sequence[Trained], decode: DecodeConfig, beside: Beside, announce: AnnounceFn
) -> Panel | Hearing:
    """Returns what answers with these runs; see `Panel` and `Hearing`."""
    if len(runs) == 1 and isinstance(runs[0].task, FramesToText | Aligned):
        return Hearing(runs[0], decode, beside, announce)
    return Panel(runs, decode, beside, announce)
