"""What a search sees of a model, and what it gives back."""

from typing import Any, NamedTuple, Protocol, TypeVar, runtime_checkable

from jaxtyping import Array, Bool, Float, Int

State = TypeVar("State")


@runtime_checkable
class StepFn(Protocol[State]):
    """One decoding step of any model: `(tokens, state) -> (logits, state)`.

    `rows` are `batch · beam` hypotheses, those of one sentence next to each other. Every leaf of
    `state` leads with `rows`, scalars included, so that a search can gather rows without knowing
    what a leaf means. What belongs to a sentence rather than to a hypothesis (encoder outputs,
    projected attention keys) is closed over with a leading `batch` and is never tiled: the step
    folds its rows to `[batch, rows // batch]` where it needs them.

    `tokens` are the ids emitted last, BOS at the first step; `logits` are raw and float32.
    """

    def __call__(
        self, tokens: Int[Array, " rows"], state: State
    ) -> tuple[Float[Array, "rows vocab"], State]: ...


@runtime_checkable
class LogitsProcessor(Protocol):
    """A pure function of `(logits, tokens so far, how many)`; made by factories, joined by `chain`.

    `history` is `[rows, max_length]`, of whose row r the first `lengths[r]` columns are valid; BOS
    is not in it. A token is forbidden by a logit of `-inf`.
    """

    def __call__(
        self,
        logits: Float[Array, "rows vocab"],
        history: Int[Array, "rows max_length"],
        lengths: Int[Array, " rows"],
    ) -> Float[Array, "rows vocab"]: ...


class Symbols(NamedTuple):
    """Ids that a search must know; of a vocabulary."""

    bos_id: int
    eos_id: int
    pad_id: int


class Hypotheses(NamedTuple):
    """The n best answers to each sentence, best first.

    Attributes:
      tokens: `[batch, n_best, max_length]` ids, EOS included where it was reached, `pad_id` after.
      log_probs: `[batch, n_best]` sum over the returned tokens of their log-probability in nats,
        by the distribution that the search used (processed by the logits processors and
        renormalised). `-inf` marks a slot for which there is no hypothesis.
      scores: `[batch, n_best]` what the hypotheses are ranked by; see each way of searching.
      lengths: `[batch, n_best]` tokens of each, EOS included.
      finished: `[batch, n_best]` True if the hypothesis ended with EOS, False if it was cut at
        `max_length`.
    """

    tokens: Int[Array, "batch n_best max_length"]
    log_probs: Float[Array, "batch n_best"]
    scores: Float[Array, "batch n_best"]
    lengths: Int[Array, "batch n_best"]
    finished: Bool[Array, "batch n_best"]


AnyState = Any
"""A pytree whose leaves all lead with `rows`."""
