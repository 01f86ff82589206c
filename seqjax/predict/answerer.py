"""Text in, answers out: a trained encoder-decoder as its user sees it."""

from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from seqjax.build.search import (
    Asked,
    Rules,
    build_processor,
    build_score_fn,
    build_search,
    build_way,
)
from seqjax.config import DecodeConfig
from seqjax.decode.force import force
from seqjax.decode.protocol import Hypotheses
from seqjax.decode.refill import Work, in_turn, refilled
from seqjax.decode.search import Progress
from seqjax.decode.stream import said_by
from seqjax.predict.answer import EMPTY, Answer, Request, answers_of, silent
from seqjax.predict.asker import Asker, Read
from seqjax.predict.room import height, padded, rounded
from seqjax.predict.unknown import Replacer
from seqjax.predict.voices import Member, Partner, Voices, Weights
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.types import Padded

LATE_BLOCKS = 3
"""Blocks of short sources, at most, that are kept for the end."""


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
        most_source: int,
        partner: Partner | None = None,
        lexicon: dict[str, str] | None = None,
        announce: AnnounceFn = silent,
    ):
        """Args:
        members: The models; their target vocabularies are the same.
        config: How to search.
        rules: Ids that the search must know.
        longest_target: Tokens of the longest training target, EOS included.
        most_source: Steps that a source has at most, as the models read it.
        partner: A language model to listen to.
        lexicon: Source tokens to target tokens, for unknown ones that are replaced.
        announce: Told of compilations.
        """
        self.config = config
        self._rules, self._coder = rules, members[0].coder
        self._width = {"greedy": 1, "beam": config.beam_size}.get(config.method, config.n_best)
        self.asker = Asker(
            [member.coder for member in members],
            config,
            rules,
            longest_target=longest_target,
        )
        self._replacer = None
        if config.unknown == "replace":
            first = members[0]
            self._replacer = Replacer(
                first.model, first.coder, lexicon or {}, config.batch_size, announce
            )
        voices = Voices(members, config, partner, most_source=rounded(most_source))
        search = build_search(config, rules, voices.step_fn, voices.state_score_fn)
        self._voices, self._search = voices, search

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
        reads = [self._read(request) for request in requests]
        found = dict(self._found(weights, reads, first))
        replaced: dict[tuple[int, int], list[str]] = {}
        if self._replacer is not None:
            replaced = self._replacer(weights.members[0], reads, found)
        for index, hypotheses in found.items():
            text = reads[index].request.text

            def tokens_of(ids: list[int], slot: int, text=text, index=index) -> list[str]:
                tokens = replaced.get((index, slot))
                return self._coder.said(ids, text) if tokens is None else tokens

            answers[index] = answers_of(hypotheses, self._coder.target, tokens_of)
        return answers

    def score(
        self, weights: Weights, sources: Sequence[str], targets: Sequence[str]
    ) -> list[Answer]:
        """Returns given answers as if the search had found them: with log-probability and score.

        Processors act as in the search. A log-probability of `-inf` says that the answer cannot be
        found: it holds what is forbidden.
        """
        scored, coder = [EMPTY] * len(sources), self._coder
        reads = [self._read(text) for text in sources]
        asked = [i for i, read in enumerate(reads) if read.length]
        ids = {i: coder.target_ids(targets[i], sources[i]) for i in asked}
        asked.sort(key=lambda i: (reads[i].length, len(ids[i])))
        size = height(len(asked), self.config.batch_size, width=1)
        for start in range(0, len(asked), size):
            indices = asked[start : start + size]
            question = self.asker.asked([reads[i] for i in indices], range(size), size)
            given = padded([ids[i] for i in indices], size, self._coder.target.pad_id)
            log_probs, scores = jax.device_get(self._force(weights, *question, given))
            for row, i in enumerate(indices):
                tokens = tuple(coder.said(ids[i].tolist(), sources[i]))
                scored[i] = Answer(
                    targets[i], tokens, float(log_probs[row]), float(scores[row]), True
                )
        return scored

    def stream(self, weights: Weights, request: str | Request) -> Iterator[str]:
        """Yields the tokens of the first answer to a text as they are said.

        Raises:
          ValueError: If the search is one whose hypotheses compete (`beam`, `stochastic_beam`).
        """
        read = self._read(request)
        if not read.length:
            return
        work = self._start(weights, *self.asker.asked([read], [0], 1))
        way, symbols = build_way(self.config, work.sentences), self._rules.symbols

        def one_step(progress: Progress) -> Progress:
            before = work._replace(progress=progress)
            return self._go_on(weights, before, np.int32(1), np.int32(1)).progress

        for said in said_by(one_step, work.progress, way, symbols):
            yield from self._coder.said(said[0, :1].tolist(), read.request.text)

    def _read(self, request: str | Request) -> Read:
        return self.asker.read(Request(request) if isinstance(request, str) else request)

    def _found(
        self, weights: Weights, reads: Sequence[Read], first: int
    ) -> Iterator[tuple[int, Hypotheses]]:
        """Yields the index of each request, as it is done, and what was found."""
        asked = (i for i, read in enumerate(reads) if read.length)
        order = sorted(asked, key=lambda i: reads[i].length)
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
                part = [reads[i] for i in indices]
                question = self.asker.asked(part, numbers, size, like=reads)
                yield indices, self._start(weights, *question)

        yield from in_turn(
            blocks(),
            go_on_fn=lambda work, most: self._go_on(weights, work, np.int32(most)),
            refill_fn=self._refill,
            finish_fn=self._finish,
        )

    def _started(self, weights: Weights, sources: tuple[Padded, ...], asked: Asked) -> Work:
        state, memory = self._voices.start(weights, sources)
        room = int(self.asker.limit(sources[0].values.shape[1]))
        return self._search.begin_fn(state, asked._replace(memory=memory), room)

    def _forced(self, weights: Weights, sources, asked: Asked, given: Padded):
        state, memory = self._voices.start(weights, sources)
        asked = asked._replace(memory=memory)
        forced = force(
            self._voices.step_fn(weights, asked),
            state,
            *given,
            bos_id=self._rules.symbols.bos_id,
            processor=build_processor(self.config, self._rules, asked),
            renormalise=self.config.normalise == "after",
        )
        total = jnp.sum(forced.log_probs, axis=1)[:, None]
        scores = build_score_fn(self.config)(total, jnp.maximum(given.lengths, 1)[:, None])
        if self._voices.state_score_fn is not None:
            alone = jax.tree.map(lambda leaf: leaf[:, None], forced.state)
            scores += self._voices.state_score_fn(asked)(alone)
        return total[:, 0], scores[:, 0]
