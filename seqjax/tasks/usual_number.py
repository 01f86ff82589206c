"""The mean of training in place of a network that says numbers."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from seqjax.data.readers import Pairs
from seqjax.predict.answer import Answer
from seqjax.tasks.arrays import Arrays, array, check_names
from seqjax.tasks.baseline import Material, answers_to, certain
from seqjax.tasks.plain import pair_material
from seqjax.tasks.regress import Regress
from seqjax.tasks.task import Vocabularies


@dataclasses.dataclass(frozen=True)
class UsualNumber:
    """Says the same number of everything; see `Baseline`.

    Attributes:
      task: Regression.
    """

    task: Regress

    def material(self) -> Material:
        """Reads pairs; see `Baseline`."""
        return pair_material(self.task)

    def fit(self, material: Material) -> Arrays:
        """Returns the mean, which the squared error likes best; see `Baseline`."""
        return {"mean": np.array(np.mean([float(text) for text in material.train.targets]))}

    def model(self, arrays: Arrays, vocabularies: Vocabularies) -> float:
        """Returns the mean; see `Baseline`."""
        check_names(arrays, ("mean",))
        return float(array(arrays, "mean", np.float64, ()))

    def likelihood(
        self, model: float, examples: Pairs, vocabularies: Vocabularies
    ) -> dict[str, float]:
        """Returns the loss that a network would have; see `Baseline`."""
        spread = vocabularies["target"].spread
        apart = np.array([(float(text) - model) / spread for text in examples.targets])
        with np.errstate(over="ignore"):
            return {"loss": float(np.mean(apart**2))}

    def answers(
        self, model: float, texts: Sequence[str], vocabularies: Vocabularies
    ) -> list[list[Answer]]:
        """Returns the one answer to each text; see `Baseline`."""
        said = [certain(f"{model:.7g}", vocabularies["target"])]
        return answers_to(texts, lambda some: [said for _ in some])
