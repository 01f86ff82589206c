"""Morse code as one hears it: built-in recordings, as many as there are texts and seeds."""

import numpy as np

from seqjax.data.embedded.names import chance
from seqjax.data.embedded.strings import ALPHABET, make_pairs
from seqjax.data.readers import Pairs, Splits
from seqjax.data.sound import Recording
from seqjax.errors import InputError

RATE = 8_000
"""Samples a second."""
CODE = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
        (
            *(".-", "-...", "-.-.", "-..", ".", "..-.", "--.", "....", "..", ".---", "-.-"),
            *(".-..", "--", "-.", "---", ".--.", "--.-", ".-.", "...", "-", "..-", "...-"),
            *(".--", "-..-", "-.--", "--..", "-----", ".----", "..---", "...--", "....-"),
            *(".....", "-....", "--...", "---..", "----."),
        ),
        strict=True,
    )
)
"""International Morse code (ITU-R M.1677-1)."""
DOT, PITCH, LEVEL, NOISE = (0.03, 0.06), (400.0, 1_000.0), (0.2, 0.6), (0.003, 0.06)
"""Between what is drawn: seconds of a dot, hertz and height of the tone, spread of the noise."""
UNEVEN = 0.1
"""Share by which a mark or a pause may be too short or too long."""
EDGE = 0.004
"""Seconds in which a tone rises and falls; without them, it clicks."""


def morse_recording(what: str) -> Recording:
    """Returns a text as a tone of one pitch that is on and off, in noise.

    A dot is one unit long, a dash three; pauses are one within a letter, three between letters,
    seven between words. Speed, pitch, loudness, noise and unevenness are drawn once for all of
    `what`.

    Args:
      what: Letters, figures and blanks, in any case. Behind a `#`, anything by which one recording
        of a text differs from another.

    Raises:
      InputError: If there is nothing to send, or no code for it.

    >>> morse_recording("E").samples.shape < morse_recording("sos#7").samples.shape
    True
    """
    text, generator = chance(what.upper())
    words = text.split()
    strange = next((one for word in words for one in word if one not in CODE), None)
    if strange is not None:
        raise InputError(
            f"morse:{what}: {strange!r} has no code; letters A to Z, figures and blanks have"
        )
    if not words:
        raise InputError(f"morse:{what}: names no text; write morse:SOS")
    unit, pitch, level, noise = (generator.uniform(*one) for one in (DOT, PITCH, LEVEL, NOISE))
    marks = _marks(words)
    seconds = unit * np.abs(marks) * generator.uniform(1 - UNEVEN, 1 + UNEVEN, len(marks))
    gate = np.repeat(marks > 0, np.round(seconds * RATE).astype(int)).astype(float)
    edge = np.hanning(int(EDGE * RATE) + 2)
    gate = np.convolve(gate, edge / edge.sum(), mode="same")
    tone = np.sin(2 * np.pi * pitch * np.arange(len(gate)) / RATE)
    samples = level * gate * tone + generator.normal(0.0, noise, len(gate))
    return Recording(np.clip(samples, -1.0, 1.0).astype(np.float32), RATE)


def _marks(words: list[str]) -> np.ndarray:
    """Returns units of tone, and as negative numbers of silence, which also begins and ends it."""
    found = [-3]
    for word in words:
        for letter in word:
            for mark in CODE[letter]:
                found += [1 if mark == "." else 3, -1]
            found[-1] = -3
        found[-1] = -7
    found[-1] = -3
    return np.array(found)


def make_morse(
    examples: int, *, min_length: int, max_length: int, seed: int, held_out: int = 300
) -> Splits:
    """Returns recordings of random letters with what they say, a function of the arguments alone.

    No recording is in two splits, and no text of more than three letters.

    Args:
      examples: Training pairs.
      min_length, max_length: Letters of a text.
      seed: Of the draw.
      held_out: Pairs of validation and of test.
    """
    texts = make_pairs(
        "copy",
        examples=examples,
        min_length=max(min_length, 1),
        max_length=max_length,
        seed=seed,
        held_out=held_out,
        alphabet=ALPHABET.upper(),
    )
    number, made = 0, []
    for part in texts:
        names = [f"morse:{text}#{number + place}" for place, text in enumerate(part.targets)]
        number += len(names)
        made.append(Pairs(names, part.targets))
    return Splits(*made)
