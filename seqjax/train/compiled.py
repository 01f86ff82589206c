"""Functions compiled once per input shape, with every compilation announced and counted."""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager
from typing import Any

import jax

AnnounceFn = Callable[[str], AbstractContextManager]
"""`announce("train 16 -> 18")` is entered while that is being compiled, or waited for."""
MOST_AT_ONCE = 4
"""Programs that are compiled side by side, each of which takes memory."""


class Compiled:
    """Wraps a pure function so that a new shape is compiled ahead of time, and says so.

    Attributes:
      compilations: How many shapes have been compiled and used.
    """

    def __init__(
        self,
        function: Callable,
        announce: AnnounceFn,
        label_fn: Callable[..., str],
        *,
        donate_argnums: tuple[int, ...] = (),
        in_shardings: Any = None,
        out_shardings: Any = None,
    ):
        """Args:
        function: Pure, of arrays and pytrees of arrays.
        announce: Told what is compiled.
        label_fn: `(*arguments) -> str`, what to call this shape.
        donate_argnums: Arguments whose buffers the result may reuse.
        in_shardings: Where arguments lie; None for wherever they are.
        out_shardings: Where results lie; None for wherever XLA puts them.
        """
        self._jitted = jax.jit(
            function,
            donate_argnums=donate_argnums,
            in_shardings=in_shardings,
            out_shardings=out_shardings,
        )
        self._announce, self._label_fn = announce, label_fn
        self._executables: dict[Any, Callable] = {}
        self._begun: dict[Any, Future] = {}
        self._pool: ThreadPoolExecutor | None = None

    @property
    def compilations(self) -> int:
        return len(self._executables)

    def __call__(self, *arguments):
        return self.executable(*arguments)(*arguments)

    def begin(self, *arguments) -> None:
        """Begins to compile for arguments of these shapes; whoever needs it waits for the rest.

        It is traced here and now, since what JAX is told for a thread holds in that thread alone.
        Call `close` when nothing more is needed.
        """
        shapes = _shapes_of(arguments)
        if shapes in self._executables or shapes in self._begun:
            return
        if self._pool is None:
            self._pool = ThreadPoolExecutor(min(MOST_AT_ONCE, os.cpu_count() or 1), "compiler")
        self._begun[shapes] = self._pool.submit(self._jitted.lower(*arguments).compile)

    def executable(self, *arguments) -> Any:
        """Returns what runs for arguments of these shapes, compiled now if it was not yet."""
        shapes = _shapes_of(arguments)
        if shapes not in self._executables:
            with self._announce(self._label_fn(*arguments)):
                begun = self._begun.pop(shapes, None)
                self._executables[shapes] = (
                    begun.result() if begun else self._jitted.lower(*arguments).compile()
                )
        return self._executables[shapes]

    def close(self) -> None:
        """Leaves out what was to be compiled and is not begun."""
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)


def _shapes_of(arguments: tuple) -> Any:
    leaves, structure = jax.tree.flatten(arguments)
    return (structure, *((leaf.shape, leaf.dtype) for leaf in leaves))
