"""Sound, or any vectors, to text: say what is heard, or describe what is given."""

import dataclasses
from collections.abc import Mapping

from seqjax.data.frames import trouble
from seqjax.data.sides import SideKind
from seqjax.tasks.text_to_text import TextToText

KINDS: Mapping[str, SideKind] = {"transcribe": "sound", "describe": "arrays"}
"""What each of the tasks reads."""


@dataclasses.dataclass(frozen=True)
class VectorsToText(TextToText):
    """An encoder reads vectors, a decoder writes the target; see `Task`.

    References:
      Chan et al., "Listen, attend and spell", 2016, with `model.pyramid`.
    """

    @property
    def kinds(self) -> dict[str, SideKind]:
        return {
            "source": KINDS[self.config.task],
            "target": self.config.data.target_tokens,
        }

    def fits(self, source: str, target: str) -> str | None:
        return trouble(source, KINDS[self.config.task])
