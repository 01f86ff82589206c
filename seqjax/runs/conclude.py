"""After training, or on request: a run measured, and pictured."""

import functools
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from seqjax.config import DecodeConfig
from seqjax.data.readers import Pairs
from seqjax.files import write_text
from seqjax.predict.answer import Answer, silent
from seqjax.report.attention import attention_figure
from seqjax.report.curves import learning_curves
from seqjax.runs.fitted import Fitted
from seqjax.runs.trained import Trained
from seqjax.tasks.task import AnsweringTask, Decoded
from seqjax.train.compiled import AnnounceFn


class Evaluation(NamedTuple):
    """What a run is worth on some data.

    Attributes:
      scores: Plain JSON.
      decoded: The answers behind them; None of a task without answers.
    """

    scores: dict[str, Any]
    decoded: Decoded | None


def evaluate(
    trained: Trained | Fitted,
    data: Any,
    *,
    decode: DecodeConfig | None = None,
    answer_fn: Callable[[list[str]], list[list[Answer]]] | None = None,
    likelihood: Mapping[str, float] | None = None,
    announce: AnnounceFn = silent,
) -> Evaluation:
    """Measures a run on examples of its task: pairs, or a running text.

    `seconds` and `sentences_per_second` are those of answering, compilation included.

    Args:
      trained: The run.
      data: As `Task.read` gives them.
      decode: How to search; by default as the run does.
      answer_fn: Answers in place of the run itself, searching as `decode` says.
      likelihood: What the run itself makes of the targets; measured if it is not given.
      announce: Told of compilations.
    """
    task, decode = trained.task, decode or trained.config.decode
    scores: dict[str, Any] = {}
    scores |= trained.likelihood(data, announce) if likelihood is None else likelihood
    if not isinstance(task, AnsweringTask):
        return Evaluation(scores, None)
    if answer_fn is None:
        answer_fn = functools.partial(trained.answer_fn(decode, announce), trained.weights)
    started = time.monotonic()
    decoded = task.judged(answer_fn, data, trained.vocabularies)
    seconds = time.monotonic() - started
    scores |= decoded.scores
    scores |= {
        "seconds": round(seconds, 2),
        "sentences_per_second": round(len(decoded.sources) / max(seconds, 1e-9), 1),
    }
    if task.searches and isinstance(trained, Trained):
        scores |= {
            "method": decode.method,
            "beam_size": decode.beam_size if decode.method == "beam" else 1,
            "length_penalty": decode.length_penalty,
        }
    return Evaluation(scores, decoded)


def picture(trained: Trained, decoded: Decoded | None) -> list[str]:
    """Draws learning curves and attention into the run; returns the paths."""
    run = trained.run
    run.pictures.mkdir(exist_ok=True)
    paths = [run.pictures / "learning_curves.png"]
    learning_curves(run.history.rows(), paths[0], unit=trained.task.loss_unit)
    if decoded is not None and isinstance(trained.task, AnsweringTask):
        shown = range(min(4, len(decoded.sources)))
        said = Pairs(
            [decoded.sources[number] for number in shown],
            [decoded.answers[number][0].text for number in shown],
        )
        look = trained.task.look_fn(trained.learnt, silent)
        examples = look(trained.params, said)
        if examples:
            paths.append(run.pictures / "attention.png")
            attention_figure(examples, paths[1])
    return [str(path) for path in paths]


def store(
    trained: Trained | Fitted, evaluation: Evaluation, split: str, spent: Mapping[str, float]
) -> None:
    """Keeps scores and answers of an evaluation in the run, and what its training was spent on.

    Args:
      trained: The run.
      evaluation: Of it.
      split: Name of the data.
      spent: Seconds of training by what they went to; see `Clock`.
    """
    document = {"split": split, **evaluation.scores, "spent": dict(spent)}
    write_text(trained.run.results, json.dumps(document, indent=2, ensure_ascii=False) + "\n")
    if evaluation.decoded is not None:
        trained.run.answers.mkdir(exist_ok=True)
        lines = answer_lines(evaluation.decoded)
        write_text(trained.run.answers / f"{split}.jsonl", "".join(line + "\n" for line in lines))


def answer_lines(decoded: Decoded) -> list[str]:
    """Returns one JSON object for every source: its references and its answers."""
    return [
        json.dumps(
            {
                "source": source,
                "references": references,
                "answers": [answer._asdict() for answer in answers],
            },
            ensure_ascii=False,
        )
        for source, references, answers in zip(
            decoded.sources, decoded.references, decoded.answers, strict=True
        )
    ]
