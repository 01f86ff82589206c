"""Tokens as they are said, one step at a time."""

from collections.abc import Iterator

import jax
import numpy as np
from jaxtyping import Array, Int

from seqjax.decode.logits.chain import chain
from seqjax.decode.protocol import AnyState, LogitsProcessor, StepFn, Symbols
from seqjax.decode.search import Progress, Way, begin, go_on


def stream(
    step_fn: StepFn,
    state: AnyState,
    way: Way,
    *,
    symbols: Symbols,
    max_length: int,
    limits: Int[Array, " batch"] | None = None,
    processor: LogitsProcessor = chain(),
    renormalise: bool = True,
) -> Iterator[np.ndarray]:
    """Yields the tokens `[batch, width]` of each step as soon as they are chosen.

    The tokens are those of `search` with the same arguments, `pad_id` where a hypothesis has ended.
    A step is compiled once. The ways are those whose hypotheses never change: `Greedy`, `Sample`.

    Raises:
      ValueError: If the hypotheses of the way of searching compete, so that what has been said may
        still be taken back.
    """
    refuse_competing(way)
    step = jax.jit(
        lambda progress: go_on(
            step_fn,
            progress,
            way,
            symbols=symbols,
            processor=processor,
            renormalise=renormalise,
            steps=1,
        )
    )
    progress = begin(state, way, symbols=symbols, max_length=max_length, limits=limits)
    while not bool(np.all(progress.done)):
        before, progress = progress, step(progress)
        yield said_last(before, progress, symbols)


def refuse_competing(way: Way) -> None:
    """Raises ValueError unless what a way of searching says is never taken back."""
    if way.competes:
        raise ValueError(f"way must be Greedy or Sample to be streamed, got {type(way).__name__}")


def said_last(before: Progress, after: Progress, symbols: Symbols) -> np.ndarray:
    """Returns the tokens `[batch, width]` by which a search went on by one step."""
    last = np.asarray(after.length)[:, None, None] - 1
    tokens = np.take_along_axis(np.asarray(after.tokens), np.maximum(last, 0), axis=2)[..., 0]
    return np.where(np.asarray(before.done)[:, None], symbols.pad_id, tokens)
