"""The usual tag of each token in place of a network that tags."""

import dataclasses
from collections.abc import Sequence

from seqjax.baselines.simple import UsualModel, train_usual_tags
from seqjax.data.readers import Pairs
from seqjax.predict.answer import Answer
from seqjax.tasks.arrays import Arrays
from seqjax.tasks.baseline import Material, answers_to, certain
from seqjax.tasks.plain import from_usual, pair_material, to_usual
from seqjax.tasks.tag import Tag
from seqjax.tasks.task import Vocabularies


@dataclasses.dataclass(frozen=True)
class UsualTags:
    """Gives each token the tag that it most often has in training; see `Baseline`.

    Attributes:
      task: Tagging.
    """

    task: Tag

    def material(self) -> Material:
        """Reads tokens and tags; see `Baseline`."""
        return pair_material(self.task)

    def fit(self, material: Material) -> Arrays:
        """Counts tags of tokens, also of those too rare for a network; see `Baseline`."""
        source, target = (material.data.vocabularies[side] for side in ("source", "target"))
        tokens = [token for text in material.train.sources for token in source.cut(text)]
        tags = [tag for text in material.train.targets for tag in target.cut(text)]
        return from_usual(train_usual_tags(tokens, tags))

    def model(self, arrays: Arrays, vocabularies: Vocabularies) -> UsualModel:
        """Returns the table of tags; see `Baseline`."""
        found = to_usual(arrays)
        strange = {*found.targets.values(), found.otherwise} - set(vocabularies["target"].tokens)
        if strange:
            raise ValueError(f"training has no tag {min(strange)[:40]!r}")
        return found

    def likelihood(
        self, model: UsualModel, examples: Pairs, vocabularies: Vocabularies
    ) -> dict[str, float]:
        """A table of usual tags has no probabilities; see `Baseline`."""
        return {}

    def answers(
        self, model: UsualModel, texts: Sequence[str], vocabularies: Vocabularies
    ) -> list[list[Answer]]:
        """Returns the one sequence of tags of each text; see `Baseline`."""
        source, target = vocabularies["source"], vocabularies["target"]

        def say(some: list[str]) -> list[list[Answer]]:
            found = (model.answer(source.cut(text)) for text in some)
            return [[certain(" ".join(tags), target)] for tags in found]

        return answers_to(texts, say)
