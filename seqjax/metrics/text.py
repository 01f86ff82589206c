"""What a set of answers is worth, as text."""

from collections.abc import Callable, Sequence
from typing import Any

from seqjax.metrics.edit import edit_distance, error_rate
from seqjax.types import Mean


def evaluate_texts(
    answers: Sequence[str],
    references: Sequence[Sequence[str]],
    *,
    tokenise: Callable[[str], Sequence[str]],
    bleu_tokenizer: str = "13a",
) -> dict[str, Any]:
    """Returns the usual scores of answers that each have one or more accepted references.

    `exact_match` is the share that equals one of its references. `token_error_rate` and
    `character_error_rate` are edits over reference length, against the closest reference: the phone
    error rate of a pronunciation, the word error rate of a transcription. Of a corpus and not
    means over sentences, they can exceed 1; where every reference is the empty text, they are the
    number of edits. `bleu` and `chrf` are sacreBLEU's, 0 to 100, with their signatures; empty
    answers count. Answers shorter than four tokens have no 4-gram: a corpus of them has a BLEU of
    0, right or wrong.

    Args:
      answers: One for each source.
      references: The accepted answers to each source, at least one; the numbers may differ.
      tokenise: Cuts a text into the tokens of `token_error_rate`.
      bleu_tokenizer: sacreBLEU's; `none` for text that is tokenised already.

    Raises:
      ValueError: If there are no answers, or not as many as sets of references, if such a set has
        none or is a bare text, or if sacreBLEU has no such tokenizer.

    References:
      Post, "A call for clarity in reporting BLEU scores", 2018; Popović, "chrF", 2015.
    """
    if len(answers) != len(references):
        raise ValueError(f"{len(answers)} answers for {len(references)} sets of references")
    if not answers:
        raise ValueError("there are no answers to evaluate")
    for number, accepted in enumerate(references):
        if isinstance(accepted, str) or not accepted:
            raise ValueError(f"references[{number}] must be a list of texts, got {accepted!r}")
    matches = [answer in accepted for answer, accepted in zip(answers, references, strict=True)]
    cut = [[tokenise(text) for text in accepted] for accepted in references]
    return {
        "sentences": len(answers),
        "exact_match": sum(matches) / len(matches),
        "token_error_rate": _rate(error_rate([tokenise(text) for text in answers], cut)),
        "character_error_rate": _rate(error_rate(answers, references)),
        **_corpus_scores(answers, references, bleu_tokenizer),
    }


def sentence_bleu(answer: str, reference: str) -> float:
    """Returns sacreBLEU's BLEU of one sentence, 0 to 100: smoothed, n-grams up to its length."""
    from sacrebleu import sentence_bleu

    return sentence_bleu(answer, [reference], tokenize="none").score


def sentence_chrf(answer: str, reference: str) -> float:
    """Returns sacreBLEU's chrF of one sentence, 0 to 100."""
    from sacrebleu import sentence_chrf

    return sentence_chrf(answer, [reference]).score


def likeness(answer: str, reference: str) -> float:
    """Returns 1 less the edits between two texts over the characters of the longer one.

    >>> likeness("abcd", "abxd"), likeness("", "")
    (0.75, 1.0)
    """
    return 1.0 - edit_distance(answer, reference) / max(len(answer), len(reference), 1)


UTILITIES: dict[str, Callable[[str, str], float]] = {
    "bleu": sentence_bleu,
    "chrf": sentence_chrf,
    "edit": likeness,
}
"""What an answer is worth if another one is the reference, by name."""


def group_references(
    sources: Sequence[str], targets: Sequence[str]
) -> tuple[list[str], list[list[str]]]:
    """Returns the distinct sources, in the order of their first line, and the targets of each.

    >>> group_references(["a", "b", "a"], ["1", "2", "3"])
    (['a', 'b'], [['1', '3'], ['2']])
    """
    grouped: dict[str, list[str]] = {}
    for source, target in zip(sources, targets, strict=True):
        grouped.setdefault(source, []).append(target)
    return list(grouped), list(grouped.values())


def _rate(errors: Mean) -> float:
    """Edits of a corpus without a single reference token must not vanish with its weight."""
    return float(errors.total / max(errors.weight, 1.0))


def _corpus_scores(
    answers: Sequence[str], references: Sequence[Sequence[str]], bleu_tokenizer: str
) -> dict[str, Any]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    if bleu_tokenizer not in BLEU.TOKENIZERS:
        known = ", ".join(sorted(BLEU.TOKENIZERS))
        raise ValueError(f"bleu_tokenizer must be one of {known}, got {bleu_tokenizer!r}")
    # sacreBLEU wants streams: the first reference of every answer, then the second, ...; an answer
    # with fewer has None in the rest, where an empty text would be a reference. `force` only
    # silences a warning about text that looks tokenised.
    most = max(map(len, references))
    streams: Any = [
        [accepted[number] if number < len(accepted) else None for accepted in references]
        for number in range(most)
    ]
    scores: dict[str, Any] = {}
    for name, metric in (
        ("bleu", BLEU(tokenize=bleu_tokenizer, force=True)),
        ("chrf", CHRF()),
    ):
        scores[name] = metric.corpus_score(list(answers), streams).score
        scores[f"{name}_signature"] = str(metric.get_signature())
    return scores
