"""A bag of words against TF-IDF by hand and the equation that its weights must solve."""

import math
import sys

import numpy as np
import pytest

from seqjax.baselines.bags import Recipe, train_bags
from seqjax.errors import InputError

TEXTS = ["good good film", "a film", "bad film", "so bad", "good fun", "bad bad bad", "a fun so so"]
LABELS = ["yes", "maybe", "no", "no", "yes", "no", "maybe"]
VALID = {"valid_texts": ["good", "bad"], "valid_labels": ["yes", "no"]}


def tf_idf(texts, runs, runs_of):
    """Returns `[texts, runs]`, from the definition."""
    rows = []
    for text in texts:
        values = []
        for run in runs:
            count = runs_of(text).count(run)
            holding = sum(run in runs_of(other) for other in TEXTS)
            worth = 1 + math.log((1 + len(TEXTS)) / (1 + holding))
            values.append((1 + math.log(count)) * worth if count else 0.0)
        rows.append(np.array(values) / max(math.sqrt(sum(v * v for v in values)), 1e-30))
    return np.array(rows)


def word_runs(text):
    words = text.split()
    return words + [" ".join(pair) for pair in zip(words, words[1:], strict=False)]


def character_runs(text):
    runs = []
    for word in text.split():
        padded = f" {word} "
        for length in (2, 3):
            runs += [padded[at : at + length] for at in range(len(padded) - length + 1)]
    return runs


@pytest.mark.parametrize("labels", [LABELS, ["no" if l == "maybe" else l for l in LABELS]])
@pytest.mark.parametrize("characters", [0, 3])
def test_the_weights_solve_the_equation_of_penalised_logistic_regression(labels, characters):
    recipe = Recipe(words=2, characters=characters, inverse_penalty=2.0)
    model = train_bags(TEXTS, labels, grid=[recipe], **VALID)
    parts = [tf_idf(TEXTS, model.bags[0].runs, word_runs)]
    assert set(model.bags[0].runs) == {run for text in TEXTS for run in word_runs(text)}
    if characters:
        assert set(model.bags[1].runs) == {run for text in TEXTS for run in character_runs(text)}
        parts.append(tf_idf(TEXTS, model.bags[1].runs, character_runs))
    features = np.hstack(parts)
    logits = features @ model.kernel + model.bias
    probs = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.probs(TEXTS), probs, rtol=1e-10)
    wanted = np.array([[label == known for known in model.labels] for label in labels])
    # The gradient of C * cross entropy + |w|^2 / 2; of two labels the first has no weights.
    free = slice(1, None) if len(model.labels) == 2 else slice(None)
    gradient = 2.0 * features.T @ (probs - wanted) + model.kernel
    np.testing.assert_allclose(gradient[:, free], 0, atol=2e-3)
    np.testing.assert_allclose((probs - wanted).sum(axis=0), 0, atol=2e-3)


def test_validation_chooses_and_says_how_good_it_was():
    grid = [Recipe(1, 0, 1e-6), Recipe(1, 0, 10.0)]
    model = train_bags(TEXTS, LABELS, grid=grid, **VALID)
    assert model.recipe == grid[1] and model.valid_accuracy == 1.0
    assert model.answer(["good", "bad", "a so"]) == ["yes", "no", "maybe"]
    one_label = {"valid_texts": ["bad"], "valid_labels": ["no"]}
    assert train_bags(TEXTS, LABELS, grid=grid, **one_label).recipe == grid[0]  # of equals


def test_words_keep_their_case_and_unknown_texts_have_the_bias():
    model = train_bags(TEXTS, LABELS, grid=[Recipe(1, 0, 10.0)], **VALID)
    bias = np.exp(model.bias) / np.exp(model.bias).sum()
    np.testing.assert_allclose(model.probs(["GOOD", ""]), [bias, bias], rtol=1e-12)


def test_what_cannot_be_is_said_in_one_line(monkeypatch):
    with pytest.raises(InputError, match="all are 'yes'; give texts of two labels"):
        train_bags(["a"], ["yes"], **VALID)
    with pytest.raises(InputError, match="there are none; give texts of two labels"):
        train_bags([], [], **VALID)
    monkeypatch.setitem(sys.modules, "sklearn.linear_model", None)
    with pytest.raises(InputError, match="scikit-learn is not installed; pip install"):
        train_bags(TEXTS, LABELS, **VALID)
