"""Functions compiled once per input shape, with every compilation announced and counted."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import jax

AnnounceFn = Callable[[str], AbstractContextManager]
"""`announce("train 16 -> 18")` is entered while that is being compiled."""


class Compiled:
    """Wraps a pure function so that a new shape is compiled ahead of time, and says so.

    Attributes:
      compilations: How many shapes have been compiled.
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

    @property
    def compilations(self) -> int:
        return len(self._executables)

    def __call__(self, *arguments):
        return self.executable(*arguments)(*arguments)

    def executable(self, *arguments) -> Any:
        """Returns what runs for arguments of these shapes, compiled now if it was not yet."""
        leaves, structure = jax.tree.flatten(arguments)
        shapes = (structure, *((leaf.shape, leaf.dtype) for leaf in leaves))
        if shapes not in self._executables:
            with self._announce(self._label_fn(*arguments)):
                self._executables[shapes] = self._jitted.lower(*arguments).compile()
        return self._executables[shapes]
