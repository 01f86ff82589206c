"""Tokens as they are said, one step at a time."""

from collections.abc import Callable, Iterator

import jax
import numpy as np

from seqjax.decode.logits.chain import chain
from seqjax.decode.protocol import LogitsProcessor, StepFn, Symbols
from seqjax.decode.search import Progress, Way, go_on


def stream(
    step_fn: StepFn,
    progress: Progress,
    way: Way,
    *,
    symbols: Symbols,
    processor: LogitsProcessor = chain(),
    renormalise: bool = True,
) -> Iterator[np.ndarray]:
    """Yields the tokens `[batch, width]` of each step as soon as they are chosen.

    They are those of `search` with the same arguments, `pad_id` where a hypothesis has ended. A
    step is compiled once.

    Args:
      step_fn, way, symbols, processor, renormalise: As in `search`.
      progress: From where to go on: what `begin` gives, or `go_on`.

    Raises:
      ValueError: If the hypotheses of the way of searching compete, so that what has been said may
        still be taken back.
    """
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
    return said_by(step, progress, way, symbols)


def said_by(
    one_step_fn: Callable[[Progress], Progress], progress: Progress, way: Way, symbols: Symbols
) -> Iterator[np.ndarray]:
    """Yields what `stream` does, by a function that takes a search one step further."""
    if way.competes:
        raise ValueError(f"way must be Greedy or Sample to be streamed, got {type(way).__name__}")
    while not np.all(progress.done):
        was_done, length = np.asarray(progress.done), np.asarray(progress.length)
        progress = one_step_fn(progress)
        places = np.minimum(length, progress.tokens.shape[-1] - 1)[:, None, None]
        said = np.take_along_axis(np.asarray(progress.tokens), places, axis=2)[..., 0]
        yield np.where(was_done[:, None], symbols.pad_id, said)
