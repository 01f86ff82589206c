"""What a set of answers is worth, as text."""

from collections.abc import Callable, Sequence
from typing import Any

from seqjax.metrics.edit import error_rate


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
    error rate of a pronunciation, the word error rate of a transcription. `bleu` and `chrf` are
    sacreBLEU's, 0 to 100, with their signatures; empty answers count.

    Args:
      answers: One for each source.
      references: As many, none of them empty.
      tokenise: Cuts a text into the tokens of `token_error_rate`.
      bleu_tokenizer: sacreBLEU's; `none` for text that is tokenised already.

    Raises:
      ValueError: If there are no answers, or not as many as references.

    References:
      Post, "A call for clarity in reporting BLEU scores", 2018; Popović, "chrF", 2015.
    """
    if len(answers) != len(references):
        raise ValueError(f"{len(answers)} answers for {len(references)} sets of references")
    if not answers:
        raise ValueError("there are no answers to evaluate")
    matches = [answer in accepted for answer, accepted in zip(answers, references, strict=True)]
    cut = [[tokenise(text) for text in accepted] for accepted in references]
    return {
        "sentences": len(answers),
        "exact_match": sum(matches) / len(matches),
        "token_error_rate": error_rate([tokenise(text) for text in answers], cut).value(),
        "character_error_rate": error_rate(answers, references).value(),
        **_corpus_scores(answers, references, bleu_tokenizer),
    }


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


def _corpus_scores(
    answers: Sequence[str], references: Sequence[Sequence[str]], bleu_tokenizer: str
) -> dict[str, Any]:
    from sacrebleu.metrics.bleu import BLEU
    from sacrebleu.metrics.chrf import CHRF

    # sacreBLEU wants streams: the first reference of every answer, then the second, ...; an answer
    # with fewer has None in the rest.
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
