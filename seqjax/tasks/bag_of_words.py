"""Bags of words in place of a network that classifies."""

import dataclasses

import numpy as np

from seqjax.baselines.bags import Bag, BagModel, Recipe, train_bags
from seqjax.tasks.arrays import (
    Arrays,
    array,
    check_names,
    check_within,
    from_words,
    to_words,
    whole,
)
from seqjax.tasks.baseline import Material
from seqjax.tasks.plain import Labels, ProbsFn
from seqjax.tasks.task import Vocabularies

LONGEST = 20
"""Of the runs that a stored model may count."""
LARGEST = 1e6
"""Of its numbers."""
KINDS = ("words", "characters")


@dataclasses.dataclass(frozen=True)
class BagOfWords(Labels):
    """Logistic regression over runs of words and characters; see `Baseline`."""

    def fit(self, material: Material) -> Arrays:
        """Tries the recipes on validation, and keeps the best; see `Baseline`."""
        train, valid = material.train, material.data.valid
        found = train_bags(
            train.sources,
            train.targets,
            valid_texts=valid.sources,
            valid_labels=valid.targets,
        )
        order = [found.labels.index(one) for one in material.data.vocabularies["target"].tokens]
        return {
            "bags": {
                bag.analyzer: {
                    "longest": np.array(bag.longest),
                    "runs": from_words(bag.runs),
                    "inverse_frequencies": np.asarray(bag.inverse_frequencies, np.float64),
                }
                for bag in found.bags
            },
            "inverse_penalty": np.array(found.recipe.inverse_penalty),
            "valid_accuracy": np.array(found.valid_accuracy),
            "kernel": np.asarray(found.kernel[:, order], np.float64),
            "bias": np.asarray(found.bias[order], np.float64),
        }

    def model(self, arrays: Arrays, vocabularies: Vocabularies) -> ProbsFn:
        """Returns what gives the probabilities of labels; see `Baseline`."""
        check_names(arrays, ("bags", "inverse_penalty", "valid_accuracy", "kernel", "bias"))
        stored = arrays["bags"]
        kinds = [kind for kind in KINDS if isinstance(stored, dict) and kind in stored]
        check_names(stored, kinds or KINDS, "bags")
        bags = tuple(_bag(kind, stored[kind]) for kind in kinds)
        labels = vocabularies["target"].tokens
        features = sum(len(bag.runs) for bag in bags)
        longest = {bag.analyzer: bag.longest for bag in bags}
        recipe = Recipe(
            longest.get("words", 0),
            longest.get("characters", 0),
            float(array(arrays, "inverse_penalty", np.float64, ())),
        )
        kernel = array(arrays, "kernel", np.float64, (features, len(labels)))
        bias = array(arrays, "bias", np.float64, (len(labels),))
        for name, weights in (("kernel", kernel), ("bias", bias)):
            check_within(name, weights, -LARGEST, LARGEST)
        return BagModel(
            labels,
            recipe,
            float(array(arrays, "valid_accuracy", np.float64, ())),
            bags,
            kernel,
            bias,
        ).probs


def _bag(kind: str, arrays: Arrays) -> Bag:
    check_names(arrays, ("longest", "runs", "inverse_frequencies"), kind)
    runs = tuple(to_words(arrays, "runs"))
    if not runs:
        raise ValueError(f"{kind} must have runs")
    worth = array(arrays, "inverse_frequencies", np.float64, (len(runs),))
    check_within("inverse_frequencies", worth, 0.0, LARGEST)
    return Bag(kind, whole(arrays, "longest", 1, LONGEST), runs, worth)
