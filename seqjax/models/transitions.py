"""What owns the scores of tags that follow each other."""

import flax.linen as nn

from seqjax.types import Transitions


class TagTransitions(nn.Module):
    """The transition scores of a linear-chain conditional random field, which begin as 0.

    So its loss starts as the cross-entropy of the tags by themselves.

    Attributes:
      size: Tags.
    """

    size: int

    @nn.compact
    def __call__(self) -> Transitions:
        """Returns the scores, which depend on no input."""
        zeros = nn.initializers.zeros
        return Transitions(
            start=self.param("start", zeros, (self.size,)),
            end=self.param("end", zeros, (self.size,)),
            between=self.param("between", zeros, (self.size, self.size)),
        )
