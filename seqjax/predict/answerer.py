"""Text in, answers out: a trained encoder-decoder as its user sees it."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Int

from seqjax.build.search import (
    Asked,
    Rules,
    build_processor,
    build_score_fn,
    build_search,
    build_way,
)
from seqjax.build.stepping import (
    Prompted,
    build_state_score_fn,
    encode,
    language_step_fn,
    seq2seq_step_fn,
)
from seqjax.config import DecodeConfig
from seqjax.data.coding import PairCoder
from seqjax.decode.beam import StateScoreFn
from seqjax.decode.force import force
from seqjax.decode.mix import ensemble, fuse
from seqjax.decode.protocol import Hypotheses, StepFn
from seqjax.decode.refill import Work, in_turn, refilled
from seqjax.decode.stream import refuse_competing, said_last
from seqjax.models.language_model import LanguageModel
from seqjax.models.seq2seq import Seq2Seq
from seqjax.predict.answer import EMPTY, Answer, Request, answers_of, silent
from seqjax.predict.asker import Asker
from seqjax.predict.room import height, padded, rounded
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.types import Padded, Parameters

LATE_BLOCKS = 3
"""Blocks of short sources, at most, that are kept for the end."""


class Member(NamedTuple):
    """One of the models that answer together.

    Attributes:
      model: What was trained.
      coder: What texts are to it.
    """

    model: Seq2Seq
    coder: PairCoder


class Partner(NamedTuple):
    """A language model that is listened to, too.

    Attributes:
      model: What was trained.
      weight: Of its log-probabilities.
      ids: `[vocab]` what each token of the answers is to it.
      first_id: What it reads before the first token.
    """

    model: LanguageModel
    weight: float
    ids: np.ndarray
    first_id: int


class Weights(NamedTuple):
    """The weights of all models that answer together."""

    members: tuple[Parameters, ...]
    partner: Parameters | tuple[()] = ()


class Answerer:
    """Answers source texts with a trained encoder-decoder, or several of one target vocabulary.

    What a text is answered never depends on the texts beside it: every one has its own length
    limit, and sampling draws from a key of its own.
    """

    def __init__(
        self,
        members: Sequence[Member],
        config: DecodeConfig,
        rules: Rules,
        *,
        longest_target: int,
        max_source: int,
        partner: Partner | None = None,
        lexicon: dict[str, str] | None = None,
        announce: AnnounceFn = silent,
    ):
        """Args:
        members: The models; their target vocabularies are the same.
        config: How to search.
        rules: Ids that the search must know.
        longest_target: Tokens of the longest training target, EOS included.
        max_source: Longer sources are cut there.
        partner: A language model to listen to.
        lexicon: Source tokens to target tokens, for unknown ones that are replaced.
        announce: Told of compilations.
        """
        self.config = config
        self._members, self._partner, self._rules = tuple(members), partner, rules
        self._target = members[0].coder.target
        self._width = {"greedy": 1, "beam": config.beam_size}.get(config.method, config.n_best)
        self._lexicon = lexicon or {}
        self.asker = Asker(
            [member.coder for member in members],
            config,
            rules,
            longest_target=longest_target,
            max_source=max_source,
        )
        self._covering = config.method == "beam" and config.coverage_penalty > 0
        search = build_search(
            config, rules, self._step_fn, self._state_score_fn if self._covering else None
        )
        self._begin_fn = search.begin_fn

        def name(work: Work) -> str:
            rows, positions = work.sentences.memory[0].mask.shape
            return f"{config.method} search, {rows} x {positions} source positions"

        def of_sources(what: str):
            def label(weights, sources, *others) -> str:
                rows, time = sources[0].values.shape[:2]
                return f"{what}, {rows} x {time} source tokens"

            return label

        self._start = Compiled(self._started, announce, of_sources("start of a search"))
        self._go_on = Compiled(search.go_on_fn, announce, lambda weights, work, *_: name(work))
        self._refill = Compiled(refilled, announce, lambda *works: "more for a " + name(works[1]))
        self._finish = Compiled(search.finish_fn, announce, lambda work: "end of a " + name(work))
        self._attend = Compiled(self._attention, announce, of_sources("attention"))
        self._force = Compiled(self._forced, announce, of_sources("scoring"))

    def __call__(
        self, weights: Weights, requests: Sequence[str | Request], *, first: int = 0
    ) -> list[list[Answer]]:
        """Returns the n best answers to each text, best first.

        Args:
          weights: Of the models.
          requests: Source texts, or these with what their answers must hold. An empty text (or one
            without tokens) is answered by nothing.
          first: Number of the first one, where these are a part of something longer: text n draws
            from a key of (seed, first + n).
        """
        answers: list[list[Answer]] = [[EMPTY] for _ in requests]
        requests = [Request(one) if isinstance(one, str) else one for one in requests]
        found = dict(self._found(weights, requests, first))
        looked_at = {}
        if self.config.unknown == "replace":
            looked_at = self._looked_at(weights, requests, found)
        for index, hypotheses in found.items():
            text = requests[index].text

            def tokens_of(ids: list[int], slot: int, text=text, index=index) -> list[str]:
                tokens = self._members[0].coder.said(ids, text)
                return self._replaced(tokens, ids, looked_at.get((index, slot)), text)

            answers[index] = answers_of(hypotheses, self._target, tokens_of)
        return answers

    def score(
        self, weights: Weights, sources: Sequence[str], targets: Sequence[str]
    ) -> list[Answer]:
        """Returns given answers as if the search had found them: with log-probability and score.

        Processors act as in the search. A log-probability of `-inf` says that the answer cannot be
        found: it holds what is forbidden.
        """
        scored = [EMPTY] * len(sources)
        asked = [i for i, text in enumerate(sources) if self.asker.length(text)]
        ids = {i: self._members[0].coder.target_ids(targets[i], sources[i]) for i in asked}
        asked.sort(key=lambda i: (self.asker.length(sources[i]), len(ids[i])))
        size = height(len(asked), self.config.batch_size, width=1)
        for start in range(0, len(asked), size):
            indices = asked[start : start + size]
            requests = [Request(sources[i]) for i in indices]
            given = padded([ids[i] for i in indices], size, self._target.pad_id)
            forced = self._force(weights, *self.asker.asked(requests, range(size), size), given)
            log_probs, scores = jax.device_get(forced)
            for row, i in enumerate(indices):
                tokens = self._members[0].coder.said(ids[i].tolist(), sources[i])
                scored[i] = Answer(
                    targets[i], tuple(tokens), float(log_probs[row]), float(scores[row]), True
                )
        return scored

    def stream(self, weights: Weights, request: str | Request) -> Iterator[str]:
        """Yields the tokens of the first answer to a text as they are said.

        Raises:
          ValueError: If the search is one whose hypotheses compete (`beam`, `stochastic_beam`).
        """
        request = Request(request) if isinstance(request, str) else request
        if not self.asker.length(request.text):
            return
        work = self._start(weights, *self.asker.asked([request], [0], 1))
        refuse_competing(build_way(self.config, work.sentences))
        while not np.all(work.progress.done):
            before, work = work, self._go_on(weights, work, np.int32(1), np.int32(1))
            said = said_last(before.progress, work.progress, self._rules.symbols)
            yield from self._members[0].coder.said(said[0, :1].tolist(), request.text)

    def _found(
        self, weights: Weights, requests: Sequence[Request], first: int
    ) -> Iterator[tuple[int, Hypotheses]]:
        """Yields the index of each request, as it is done, and what was found."""
        lengths = [self.asker.length(request.text) for request in requests]
        order = sorted((i for i, n in enumerate(lengths) if n), key=lambda i: lengths[i])
        if not order:
            return
        size = height(len(order), self.config.batch_size, self._width)
        # Long sources take many steps; short ones are kept for the slots that are free by then.
        late = size * min(LATE_BLOCKS, len(order) // size // 4)
        order = order[late:] + order[:late]

        def blocks() -> Iterator[tuple[list[int], Work]]:
            for start in range(0, len(order), size):
                indices = order[start : start + size]
                numbers = [first + i for i in indices]
                part = [requests[i] for i in indices]
                asked = self.asker.asked(part, numbers, size, like=requests)
                yield indices, self._start(weights, *asked)

        yield from in_turn(
            blocks(),
            go_on_fn=lambda work, most: self._go_on(weights, work, np.int32(most)),
            refill_fn=self._refill,
            finish_fn=self._finish,
        )

    def _looked_at(
        self, weights: Weights, requests: Sequence[Request], found: dict[int, Hypotheses]
    ) -> dict[tuple[int, int], np.ndarray]:
        """Returns the source position that each token looked at, of answers with unknown ones."""
        places = [
            (index, slot)
            for index, hypotheses in found.items()
            for slot in range(len(hypotheses.lengths))
            if self._target.unk_id in hypotheses.tokens[slot, : hypotheses.lengths[slot]]
        ]
        places.sort(key=lambda place: self.asker.length(requests[place[0]].text))
        looked_at, size = {}, height(len(places), self.config.batch_size, width=1)
        for start in range(0, len(places), size):
            part = places[start : start + size]
            (source, *_), _ = self.asker.asked([requests[i] for i, _ in part], range(size), size)
            said = [found[i].tokens[slot, : found[i].lengths[slot]] for i, slot in part]
            looked = self._attend(weights, (source,), padded(said, size, self._target.pad_id))
            looked_at |= dict(zip(part, np.asarray(looked), strict=False))
        return looked_at

    def _replaced(
        self, tokens: list[str], ids: list[int], looked_at: np.ndarray | None, text: str
    ) -> list[str]:
        if looked_at is None:
            return tokens
        own = self._members[0].coder.source.cut(text)
        there = [own[position] for position in looked_at[: len(tokens)]]
        return [
            self._lexicon.get(source) or source if one == self._target.unk_id else token
            for token, one, source in zip(tokens, ids, there, strict=True)
        ]

    def _attention(
        self, weights: Weights, sources: tuple[Padded, ...], said: Padded
    ) -> Int[Array, "rows time"]:
        """Returns where the first model looks most at each token of what was said."""
        model: Any = self._members[0].model
        _, looked = model.apply({"params": weights.members[0]}, sources[0], said)
        return jnp.argmax(looked, axis=-1)

    def _started(self, weights: Weights, sources: tuple[Padded, ...], asked: Asked) -> Work:
        parts = zip(self._members, weights.members, sources, strict=True)
        encoded = [
            encode(member.model, params, source, covering=self._covering)
            for member, params, source in parts
        ]
        state: Any = tuple(state for state, _ in encoded)
        if self._partner is not None:
            rows = asked.limits.shape[0]
            state = (
                state,
                Prompted(
                    self._partner.model.initial_carry(rows),
                    jnp.full((rows,), self._partner.first_id, jnp.int32),
                    jnp.zeros((rows,), bool),
                ),
            )
        memory = tuple(memory for _, memory in encoded)
        room = int(self.asker.limit(sources[0].values.shape[1]))
        return self._begin_fn(state, asked._replace(memory=memory), room)

    def _step_fn(self, weights: Weights, asked: Asked) -> StepFn:
        parts = zip(self._members, weights.members, asked.memory, strict=True)
        step_fns = [
            seq2seq_step_fn(
                member.model, params, memory, most_source=rounded(self.asker.max_source)
            )
            for member, params, memory in parts
        ]
        step_fn = ensemble(step_fns, mean=self.config.ensemble)
        if self._partner is None:
            return step_fn
        theirs: Any = weights.partner
        language = language_step_fn(self._partner.model, theirs)
        return fuse(step_fn, language, self._partner.weight, jnp.asarray(self._partner.ids))

    def _state_score_fn(self, asked: Asked) -> StateScoreFn:
        score_fn = build_state_score_fn(self.config, asked.memory)
        return score_fn if self._partner is None else lambda state: score_fn(state[0])

    def _forced(self, weights: Weights, sources, asked: Asked, given: Padded):
        work = self._started(weights, sources, asked)
        asked = work.sentences
        log_probs = force(
            self._step_fn(weights, asked),
            jax.tree.map(lambda leaf: leaf[:, 0], work.progress.state),
            given.values,
            given.lengths,
            bos_id=self._rules.symbols.bos_id,
            processor=build_processor(self.config, self._rules, asked),
        )
        total = jnp.sum(log_probs, axis=1)
        lengths = jnp.maximum(given.lengths, 1)
        scores = build_score_fn(self.config)(total[:, None], lengths[:, None])[:, 0]
        return total, scores
