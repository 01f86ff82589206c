"""The loop of every search: ask the model, let the way of searching choose, freeze who is done."""

from typing import Any, ClassVar, NamedTuple, Protocol, runtime_checkable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.decode.distribution import Next, processed
from seqjax.decode.logits.chain import chain
from seqjax.decode.protocol import AnyState, Hypotheses, LogitsProcessor, StepFn, Symbols
from seqjax.masking import where_rows


class Progress(NamedTuple):
    """How far the search has come for each sentence; every leaf leads with `batch`.

    Attributes:
      length: `[batch]` tokens that each live hypothesis holds.
      limit: `[batch]` tokens, EOS counted, that it may come to.
      done: `[batch]` True where nothing is searched any more.
      tokens: `[batch, width, max_length]` the live hypotheses; only `length` columns are valid.
      log_probs: `[batch, width]` of each, in nats; `-inf` where there is none.
      state: The model's, `[batch, width, ...]`; that of a sentence that is done means nothing.
      found: What the way of searching keeps besides.
    """

    length: Int[Array, " batch"]
    limit: Int[Array, " batch"]
    done: Bool[Array, " batch"]
    tokens: Int[Array, "batch width max_length"]
    log_probs: Float[Array, "batch width"]
    state: AnyState
    found: Any


class Chosen(NamedTuple):
    """What a way of searching makes of a step.

    Attributes:
      tokens: `[batch, width]` said by each hypothesis that lives on.
      log_probs: `[batch, width]` of each with that token, in nats.
      found: As in `Progress`.
      done: `[batch]` True where the search is over.
      parents: `[batch, width]` which hypothesis each goes on from; None if each from itself.
    """

    tokens: Int[Array, "batch width"]
    log_probs: Float[Array, "batch width"]
    found: Any
    done: Bool[Array, " batch"]
    parents: Int[Array, "batch width"] | None = None


@runtime_checkable
class Way(Protocol):
    """A way of searching: `Beam`, `Greedy`, `Sample`, `StochasticBeam`, or anybody's own.

    `width` hypotheses of each sentence are alive; if they compete, those that live on may take the
    place of others. What a sentence gets must not depend on the other sentences. `advance` need not
    care for sentences that are done: what it says of them is not used.
    """

    competes: ClassVar[bool]

    @property
    def width(self) -> int: ...

    def begin(self, batch: int, max_length: int) -> tuple[Float[Array, "batch width"], Any]:
        """Returns log-probabilities of the empty hypotheses, and what is kept besides."""
        ...

    def advance(self, progress: Progress, upcoming: Next, symbols: Symbols) -> Chosen:
        """Returns which hypotheses live on, and with which token."""
        ...

    def finish(self, progress: Progress, symbols: Symbols) -> Hypotheses:
        """Returns what was found."""
        ...


def search(
    step_fn: StepFn,
    state: AnyState,
    way: Way,
    *,
    symbols: Symbols,
    max_length: int,
    limits: Int[Array, " batch"] | None = None,
    processor: LogitsProcessor = chain(),
    renormalise: bool = True,
) -> Hypotheses:
    """Returns what a way of searching finds for each sentence, as one compiled loop.

    A sentence that is done is frozen, bit for bit, until all are. NaN and `+inf` logits count as
    forbidden.

    Args:
      step_fn: The model.
      state: Its state before the first step, one row per sentence.
      way: `Beam(...)`, `Greedy()`, `Sample(...)`, `StochasticBeam(...)`.
      symbols: Ids of BOS, EOS and padding.
      max_length: Tokens, EOS counted, that the result has room for.
      limits: Most tokens, EOS counted, of each sentence; `max_length` where not given. Of none,
        nothing is searched or found.
      processor: Changes logits before they count.
      renormalise: Let what a processor takes from one token go to the others, so that all
        log-probabilities are those of a distribution. If False, the processor is given
        log-probabilities in place of logits and what it returns counts as it is: the rule of
        Hugging Face transformers' beam search. (A processor that returns values above 0 then
        undoes the bound of an exact stop.)

    Raises:
      ValueError: If `max_length` is below 1.
    """
    progress = begin(state, way, max_length=max_length, limits=limits, symbols=symbols)
    progress = go_on(
        step_fn, progress, way, symbols=symbols, processor=processor, renormalise=renormalise
    )
    return way.finish(progress, symbols)


def begin(
    state: AnyState,
    way: Way,
    *,
    symbols: Symbols,
    max_length: int,
    limits: Int[Array, " batch"] | None = None,
) -> Progress:
    """Returns where a search starts; see `search` for the arguments."""
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1, got {max_length}")
    batch = jax.tree.leaves(state)[0].shape[0]
    most = jnp.full((batch,), max_length, jnp.int32)
    log_probs, found = way.begin(batch, max_length)
    limit = most if limits is None else jnp.minimum(limits, most)
    return Progress(
        length=jnp.zeros((batch,), jnp.int32),
        limit=limit,
        done=limit < 1,
        tokens=jnp.full((batch, way.width, max_length), symbols.pad_id, jnp.int32),
        log_probs=jnp.where((limit < 1)[:, None], -jnp.inf, log_probs),
        state=jax.tree.map(lambda leaf: jnp.repeat(leaf[:, None], way.width, axis=1), state),
        found=found,
    )


def go_on(
    step_fn: StepFn,
    progress: Progress,
    way: Way,
    *,
    symbols: Symbols,
    processor: LogitsProcessor = chain(),
    renormalise: bool = True,
    most_done: Int[Array, ""] | int | None = None,
    steps: Int[Array, ""] | int | None = None,
) -> Progress:
    """Returns where a search stands later; see `search` for the other arguments.

    Args:
      most_done: Stop when so many more sentences are done; by default, when all are.
      steps: Stop after so many steps; by default there is no such limit.
    """
    batch = progress.done.shape[0]
    enough = jnp.sum(progress.done) + (batch if most_done is None else most_done)
    last = progress.tokens.shape[-1] if steps is None else steps

    def step(carry):
        number, progress = carry
        upcoming = _ask(
            step_fn, progress, symbols=symbols, processor=processor, renormalise=renormalise
        )
        chosen = way.advance(progress, upcoming, symbols)
        return number + 1, _advanced(progress, upcoming, chosen)

    def unfinished(carry) -> Bool[Array, ""]:
        number, progress = carry
        done = jnp.sum(progress.done)
        return (done < batch) & (done < enough) & (number < last)

    return jax.lax.while_loop(unfinished, step, (jnp.zeros((), jnp.int32), progress))[1]


def _ask(
    step_fn: StepFn,
    progress: Progress,
    *,
    symbols: Symbols,
    processor: LogitsProcessor,
    renormalise: bool,
) -> Next:
    """Returns what the model, and then the processor, say about the next token."""
    batch, width, max_length = progress.tokens.shape
    history = progress.tokens.reshape(batch * width, max_length)
    lengths = jnp.repeat(progress.length, width)
    last = jnp.take_along_axis(history, jnp.maximum(lengths - 1, 0)[:, None], axis=1)[:, 0]
    rows = jax.tree.map(lambda leaf: leaf.reshape(batch * width, *leaf.shape[2:]), progress.state)
    logits, rows = step_fn(jnp.where(lengths > 0, last, symbols.bos_id), rows)
    logits, log_total = processed(logits, history, lengths, processor, renormalise=renormalise)
    return Next(
        logits.reshape(batch, width, -1),
        log_total.reshape(batch, width),
        jax.tree.map(lambda leaf: leaf.reshape(batch, width, *leaf.shape[1:]), rows),
    )


def _advanced(progress: Progress, upcoming: Next, chosen: Chosen) -> Progress:
    tokens, state, parents = progress.tokens, upcoming.state, chosen.parents
    if parents is not None:
        tokens, state = jax.tree.map(lambda leaf: gather(leaf, parents), (tokens, state))
    here = jnp.arange(tokens.shape[-1])[None, None] == progress.length[:, None, None]
    length = progress.length + 1
    new = Progress(
        length=length,
        limit=progress.limit,
        done=chosen.done | (length >= progress.limit),
        tokens=jnp.where(here, chosen.tokens[..., None], tokens),
        log_probs=chosen.log_probs,
        state=(),
        found=chosen.found,
    )
    old = progress._replace(state=())
    frozen = jax.tree.map(lambda old, new: where_rows(progress.done, old, new), old, new)
    return frozen._replace(state=state)


def gather(values: Array, index: Int[Array, "batch chosen"]) -> Array:
    """Picks along axis 1 of each sentence."""
    return jnp.take_along_axis(
        values, index.reshape(index.shape + (1,) * (values.ndim - 2)), axis=1
    )
