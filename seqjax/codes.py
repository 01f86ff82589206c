"""What a warning is named: a short code that can be looked up."""

from typing import NamedTuple


class Code(NamedTuple):
    """One kind of finding, in words that hold for every run or file.

    Attributes:
      code: Its name, `SJ-T02`: T is found in training, D in data. A code never changes its meaning.
      says: What is the case, in a few words.
      means: Why it matters and what it usually comes from.
      mend: What to do about it, with the flags to do it.
    """

    code: str
    says: str
    means: str
    mend: str
