"""How good a model is on data it has not learnt from: likelihood, answers, health of the search."""

import dataclasses
import functools
import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import jax

from seqjax.build.learner import Learner
from seqjax.data.readers import Pairs
from seqjax.predict.voices import Weights
from seqjax.report.attention import AttentionExample
from seqjax.tasks.task import AnsweringTask, Decoded, Learnt, Task, TaskData
from seqjax.train.compiled import AnnounceFn, Compiled
from seqjax.train.mesh import Layout, gather
from seqjax.train.processes import is_first, told
from seqjax.types import Batch, Parameters, sum_means

ValidateFn = Callable[[Parameters], dict[str, float]]


class Likelihood:
    """Measures the loss, and all that a learner shows beside it, by teacher forcing."""

    def __init__(self, learner: Learner, announce: AnnounceFn, layout: Layout | None = None):
        """Args:
        learner: With the model.
        announce: Told what is compiled.
        layout: Devices that share the work; by default the one that the weights are on.
        """

        def means(params: Parameters, memory: Any, batch: Batch):
            unused = jax.random.key(0)  # nothing is random when not training
            loss, (means, memory) = learner.loss_fn(params, memory, batch, unused, 0, train=False)
            return {"loss": loss, **means}, memory

        def label(params, memory, batch) -> str:
            rows, time = batch.inputs.values.shape[:2]
            return f"likelihood, {rows} x {time}"

        self._memory = layout.put_whole_rows(learner.memory) if layout else learner.memory
        self._put_fn = layout.put_whole_rows if layout else lambda batch: batch
        lie = (layout.everywhere, layout.rows) if layout else None
        self._scores_fn = learner.scores_fn
        self._means = Compiled(means, announce, label, out_shardings=lie)

    def __call__(self, params: Parameters, batches: Iterable[Batch]) -> dict[str, float]:
        """Returns `loss` and what it is told by (see `Learner.scores_fn`), over all batches
        together, and what else the learner shows. Of tokens that is `loss` (nats per token, EOS
        counted, BOS not), `perplexity` (its exp), `bits_per_token`, `tokens` and `token_accuracy`;
        with attention `attention_spread` as well. A label, and a tag, is a token. Where nothing
        counts the loss is NaN."""
        memory, parts = self._memory, []
        for batch in batches:
            means, memory = self._means(params, memory, self._put_fn(batch))
            parts.append(jax.device_get(means))
        loss = sum_means(part["loss"] for part in parts)
        names = set[str]().union(*parts) - {"loss"}
        others = {name: sum_means(part[name] for part in parts) for name in sorted(names)}
        value = float(loss.value()) if loss.weight else math.nan
        return {
            **self._scores_fn(value, int(loss.weight)),
            **{name: float(mean.value()) for name, mean in others.items()},
        }


class Seen(NamedTuple):
    """What a validation has looked at.

    Attributes:
      decoded: The answers to its examples.
      attention: On the way to what some of them should be answered; empty without attention.
    """

    decoded: Decoded
    attention: list[AttentionExample]


def build_validator(
    task: Task,
    learner: Learner,
    data: TaskData,
    likelihood: Likelihood,
    announce: AnnounceFn,
    note: Callable[[str], None],
    poll: Callable[[], None] = lambda: None,
    seen: Callable[[Seen], None] = lambda seen: None,
) -> ValidateFn:
    """Returns what is measured while a run trains, with two sample answers told to `note`.

    A task that answers gives answers to `validation.examples` sources, greedily where they are
    searched for, and tells `seen` of them. Of several processes the first one does so, and tells
    the others what came of it. Between batches `poll` is called, which may raise.
    """

    def polled(batches: Iterable[Batch]) -> Iterator[Batch]:
        for batch in batches:
            poll()
            yield batch

    if not isinstance(task, AnsweringTask):
        return lambda params: likelihood(params, polled(data.valid_batches()))
    config, vocabularies = task.config, data.vocabularies
    greedy = dataclasses.replace(config.decode, method="greedy", n_best=1)
    learnt = Learnt(learner, vocabularies, data.statistics)
    answer = task.answer_fn(learnt, greedy, announce)
    look = task.look_fn(learnt, announce)
    most = config.validation.examples
    pairs = Pairs(data.valid.sources[:most], data.valid.targets[:most])

    def validate(params: Parameters) -> dict[str, float]:
        scores = likelihood(params, polled(data.valid_batches()))
        poll()
        weights = gather(params)
        return scores | told(answers_scores(weights) if is_first() else None)

    def answers_scores(weights: Parameters) -> dict[str, float]:
        answer_fn = functools.partial(answer, Weights((weights,)))
        decoded = task.judged(answer_fn, pairs, vocabularies)
        shown = sorted({0, len(decoded.sources) // 2})
        for number in shown:
            note(_sample_line(decoded, number, task.likely))
        sources = [decoded.sources[number] for number in shown]
        wanted = [decoded.references[number][0] for number in shown]
        seen(Seen(decoded, look(weights, Pairs(sources, wanted))))
        return {name: float(decoded.scores[name]) for name in task.validation_scores}

    return validate


def _sample_line(decoded: Decoded, number: int, likely: bool) -> str:
    answer, references = decoded.answers[number][0], decoded.references[number]
    right = answer.text in references
    wanted = "" if right else f"   wanted {references[0]}"
    probability = f"   p {math.exp(answer.log_prob):.2f}" if likely else ""
    return (
        f"  {'✓' if right else '✗'} {decoded.sources[number]} -> {answer.text}{probability}{wanted}"
    )
