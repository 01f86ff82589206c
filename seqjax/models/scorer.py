"""What compares queries with keys in a decoder."""

from typing import Protocol, runtime_checkable

from jaxtyping import Array, Float


@runtime_checkable
class Scorer(Protocol):
    """Any linen module with these is a scorer and works wherever a built-in one does."""

    def prepare(
        self, memory: Float[Array, "batch source features"]
    ) -> Float[Array, "batch source size"]:
        """Returns the keys of a sentence, made once."""
        ...

    def __call__(
        self,
        queries: Float[Array, "batch queries features"],
        keys: Float[Array, "batch source size"],
    ) -> Float[Array, "batch queries source"]:
        """Returns the scores of every query with every key."""
        ...
