"""Small pictures of handwritten digits, and what is to be seen on them, in words."""

import functools

import numpy as np

from seqjax.data.readers import Pairs, Splits
from seqjax.errors import InputError

DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
THIN, BOLD = 0.29, 0.32
"""Ink of a picture, as a share of all that it has room for, below and above which it is so."""
LEAN = 0.1
"""Columns to the side for each row, from which on a digit leans."""
HELD_OUT = {"valid": 180, "test": 360}
"""Pictures of 1,797 that are not trained on."""


@functools.cache
def _digits() -> tuple[np.ndarray, np.ndarray]:
    """Returns `[pictures, rows, columns]` ink in [0, 1], and which digit each is."""
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise InputError(
            "pictures of digits need scikit-learn, which brings them; "
            "pip install 'seqjax[baselines]'"
        ) from None
    images, labels = load_digits(return_X_y=True)
    return (images.reshape(-1, 8, 8) / 16.0).astype(np.float32), labels


def image(what: str) -> np.ndarray:
    """Returns a picture row by row, `[8 rows, 8 columns]` of ink in [0, 1].

    Args:
      what: Its number.

    Raises:
      InputError: If there is none of that number, or scikit-learn is not installed.

    References:
      Alpaydin and Kaynak, "Optical recognition of handwritten digits", UCI, 1998: the test set,
      which scikit-learn has with it as `load_digits`.
    """
    images, _ = _digits()
    if not (what.isascii() and what.isdigit() and int(what) < len(images)):
        raise InputError(f"image:{what}: there are image:0 to image:{len(images) - 1}")
    return images[int(what)]


def describe(ink: np.ndarray, digit: int) -> str:
    """Returns a picture in words: its digit, how much ink it has, and to which side it leans.

    The lean is that of the line along which columns go with rows, by least squares, each weighed
    by its ink.

    >>> describe(np.eye(8), 1), describe(np.fliplr(np.eye(8)), 8)
    ('a thin one leaning left', 'a thin eight leaning right')
    """
    weight = "thin " if ink.mean() < THIN else "bold " if ink.mean() > BOLD else ""
    rows, columns = np.indices(ink.shape)
    rows = rows - np.average(rows, weights=ink)
    columns = columns - np.average(columns, weights=ink)
    slope = -(ink * rows * columns).sum() / (ink * rows * rows).sum()  # rows are counted downwards
    side = "left" if slope < -LEAN else "right" if slope > LEAN else ""
    article = "an" if not weight and DIGITS[digit] == "eight" else "a"
    return f"{article} {weight}{DIGITS[digit]}" + (f" leaning {side}" if side else "")


def make_images(examples: int, *, seed: int) -> Splits:
    """Returns names of pictures with their descriptions, a function of the arguments alone.

    Args:
      examples: Training pairs at most; there are 1,257.
      seed: Of which picture is in which split.

    Raises:
      InputError: If scikit-learn is not installed.
    """
    images, labels = _digits()
    order = np.random.default_rng(seed).permutation(len(images))
    first, second = HELD_OUT["valid"], HELD_OUT["valid"] + HELD_OUT["test"]
    valid, test, train = np.split(order, [first, second])

    def pairs(numbers: np.ndarray) -> Pairs:
        texts = [describe(images[number], int(labels[number])) for number in numbers]
        return Pairs([f"image:{number}" for number in numbers], texts)

    return Splits(pairs(train[:examples]), pairs(valid), pairs(test))
