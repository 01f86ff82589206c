"""ROUGE: how much of a reference's words, pairs of words and order a summary has."""

from collections.abc import Sequence
from typing import Any

from seqjax.errors import InputError

NAMES = {"rouge_1": "rouge1", "rouge_2": "rouge2", "rouge_l": "rougeL"}
"""Our names of what is reported, and those of rouge-score."""


def rouge(answers: Sequence[str], references: Sequence[Sequence[str]]) -> dict[str, float]:
    """Returns the F1 of ROUGE-1, ROUGE-2 and ROUGE-L, 0 to 100, means over answers.

    Those of the package rouge-score: words are runs of Latin letters and digits, lower-cased; those
    longer than three letters are stemmed (Porter). L is the longest common subsequence of whole
    texts. Of several references, the best counts, for each score by itself. An answer or a
    reference without a word scores 0.

    Args:
      answers: One for each source.
      references: The accepted answers to each source, at least one.

    Raises:
      InputError: If rouge-score is not installed.
      ValueError: If there are no answers, or not as many as sets of references.

    References:
      Lin, "ROUGE: A package for automatic evaluation of summaries", 2004; there words are stemmed
      only if that is asked for (`-m`), which published results usually do.
    """
    if len(answers) != len(references) or not answers:
        raise ValueError(f"{len(answers)} answers for {len(references)} sets of references")
    scorer = rouge_scorer()
    found = [
        scorer.score_multi(accepted, answer)
        for answer, accepted in zip(answers, references, strict=True)
    ]
    return {
        ours: 100 * sum(one[theirs].fmeasure for one in found) / len(found)
        for ours, theirs in NAMES.items()
    }


def rouge_scorer() -> Any:
    """Returns rouge-score's scorer, which not every installation has.

    Raises:
      InputError: If this one has not.
    """
    try:
        from rouge_score.rouge_scorer import RougeScorer
    except ImportError:
        raise InputError(
            "ROUGE: rouge-score is not installed; pip install 'seqjax[rouge]'"
        ) from None
    return RougeScorer(list(NAMES.values()), use_stemmer=True)
