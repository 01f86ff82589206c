"""Settings of how a training is spread over devices."""

from dataclasses import dataclass

from seqjax.config.require import require


@dataclass(frozen=True)
class MeshConfig:
    """How devices share a training. What is learnt does not depend on it, up to rounding."""

    data: int | None = None
    """Devices that the rows of a batch are dealt to; by default as many as there are, or, in a
    single process, as many of them as divide the rows."""
    model: int = 1
    """Devices that embeddings and output layers are dealt to, by vocabulary. A table whose
    vocabulary cannot be dealt evenly is kept whole on each."""

    def __post_init__(self):
        require(self.data is None or self.data >= 1, "mesh.data", "at least 1", self.data)
        require(self.model >= 1, "mesh.model", "at least 1", self.model)
