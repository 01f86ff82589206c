"""Answers that need no more than counting: the majority label, a copy, the usual target."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import NamedTuple


class MajorityModel(NamedTuple):
    """Says the same of everything.

    Attributes:
      probs: The share of each label in training, the most frequent first.
    """

    probs: Mapping[Hashable, float]

    @property
    def label(self) -> Hashable:
        """The most frequent label; of equals, the one that was seen first."""
        return next(iter(self.probs))


def train_majority(labels: Sequence[Hashable]) -> MajorityModel:
    """Returns the shares of labels in training.

    Raises:
      ValueError: If there are no labels.

    >>> train_majority(["a", "b", "b"]).label
    'b'
    """
    if not labels:
        raise ValueError("labels must not be empty")
    counts = Counter(labels).most_common()
    return MajorityModel({label: count / len(labels) for label, count in counts})


def copy_input(sources: Sequence[str]) -> list[str]:
    """Returns each source as its own answer."""
    return list(sources)


class UsualModel(NamedTuple):
    """Answers what it has seen with the answer that it has most often seen.

    Attributes:
      targets: The most frequent target of each source; of equals, the one that was seen first.
      otherwise: What is answered to sources never seen.
    """

    targets: Mapping[str, str]
    otherwise: str

    def answer(self, sources: Sequence[str]) -> list[str]:
        """Returns an answer to each source."""
        return [self.targets.get(source, self.otherwise) for source in sources]


def train_usual(sources: Sequence[str], targets: Sequence[str]) -> UsualModel:
    """Returns the most frequent target of each source, and of all for those never seen.

    Raises:
      ValueError: If there are no pairs, or not one target for each source.

    >>> train_usual(["hi", "hi", "ho"], ["x", "y", "y"]).answer(["hi", "hu"])
    ['x', 'y']
    """
    if not sources:
        raise ValueError("sources must not be empty")
    if len(sources) != len(targets):
        raise ValueError(f"targets must be {len(sources)}, one a source, got {len(targets)}")
    counts: dict[str, Counter[str]] = {}
    for source, target in zip(sources, targets, strict=True):
        counts.setdefault(source, Counter())[target] += 1
    usual = {source: found.most_common(1)[0][0] for source, found in counts.items()}
    return UsualModel(usual, Counter(targets).most_common(1)[0][0])


def train_usual_tags(tokens: Sequence[str], tags: Sequence[str]) -> UsualModel:
    """Returns the most frequent tag of each token; a token never seen has that of the tokens seen
    once, which are most like it.

    Raises:
      ValueError: As `train_usual`.

    References:
      Baayen & Sproat, "Estimating lexical priors for low-frequency morphologically ambiguous
      forms", 1996: words never seen are tagged as those seen once.

    >>> train_usual_tags(["the", "cat", "the", "eel"], ["DET", "N", "DET", "N"]).answer(["ox"])
    ['N']
    """
    usual, counts = train_usual(tokens, tags), Counter(tokens)
    once = Counter(tag for token, tag in zip(tokens, tags, strict=True) if counts[token] == 1)
    return usual._replace(otherwise=once.most_common(1)[0][0]) if once else usual
