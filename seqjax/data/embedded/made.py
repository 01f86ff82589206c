"""From the name of what is made to the vectors themselves: a choice, and nothing else.

To add a scheme: its name in `names.py` beside, a function of what follows the colon, and a case
here.
"""

import numpy as np

from seqjax.data.embedded.adding import adding
from seqjax.data.embedded.images import image
from seqjax.data.embedded.morse import morse_recording
from seqjax.data.embedded.names import Scheme
from seqjax.data.sound import Recording
from seqjax.errors import InputError


def made_recording(scheme: Scheme, what: str) -> Recording:
    """Returns the recording that a name stands for.

    Raises:
      InputError: If it is no recording, or nothing can be made of what follows the colon.
    """
    match scheme:
        case "morse":
            return morse_recording(what)
        case "image" | "adding":
            raise InputError(f"{scheme}:{what}: is no recording; --task describe reads it")


def made_array(scheme: Scheme, what: str) -> np.ndarray:
    """Returns the `[time, features]` numbers that a name stands for.

    Raises:
      InputError: If it is no array, or nothing can be made of what follows the colon.
    """
    match scheme:
        case "image":
            return image(what)
        case "adding":
            return adding(what)
        case "morse":
            raise InputError(f"{scheme}:{what}: is a recording; --task transcribe reads it")
