"""After training, or on request: a run loaded from its directory, measured, and pictured."""

import dataclasses
import functools
import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from seqjax.build.learner import Learner
from seqjax.build.rules import build_rules
from seqjax.config import Config, DecodeConfig
from seqjax.data.coding import PairCoder
from seqjax.data.readers import Pairs
from seqjax.data.sides import load_side
from seqjax.errors import InputError
from seqjax.files import write_text
from seqjax.predict.answer import Answer, AnswerFn, silent
from seqjax.predict.continuer import Continuer
from seqjax.predict.features import Pool, encoder_outputs, features_of, language_outputs
from seqjax.predict.labels import Sayer
from seqjax.predict.voices import Weights
from seqjax.report.attention import attention_figure
from seqjax.report.curves import learning_curves
from seqjax.rundir import RunDir, load_weights, open_run
from seqjax.runs.fitted import Fitted, load_fitted
from seqjax.runs.measure import Likelihood
from seqjax.tasks.choose import build_task
from seqjax.tasks.pairs import PairTask
from seqjax.tasks.task import AnsweringTask, Decoded, Task, Vocabularies, sizes_of
from seqjax.train.compiled import AnnounceFn
from seqjax.types import Parameters


@dataclasses.dataclass(frozen=True)
class Trained:
    """A run that has learnt something, in memory.

    Attributes:
      run: Where it is kept.
      config: Its settings.
      vocabularies: By side.
      learner: Its model and loss.
      params: Its best weights.
      statistics: Of its training data.
    """

    run: RunDir
    config: Config
    vocabularies: Vocabularies
    learner: Learner
    params: Parameters
    statistics: dict[str, Any]

    @property
    def weights(self) -> Weights:
        """The best weights, as an `Answerer` takes them."""
        return Weights((self.params,))

    @property
    def task(self) -> Task:
        """What it has learnt."""
        return build_task(self.config)

    def likelihood(self, data: Any, announce: AnnounceFn = silent) -> dict[str, float]:
        """Returns what the run makes of examples, by teacher forcing."""
        batches = self.task.batches(data, self.vocabularies, self.statistics)
        return Likelihood(self.learner, announce)(self.params, batches)

    def answer_fn(
        self, decode: DecodeConfig | None = None, announce: AnnounceFn = silent
    ) -> AnswerFn:
        """Returns a run that answers as what gives the answers; `decode` replaces its settings.

        Raises:
          InputError: If it is a run of a task without answers, or has no use for such settings.
        """
        if not isinstance(self.task, AnsweringTask):
            raise InputError(
                f"{self.run.path}: a language model answers nothing; use seqjax generate"
            )
        return self.task.answer_fn(
            self.searching(decode or self.config.decode),
            self.learner,
            self.vocabularies,
            self.statistics,
            announce,
        )

    def searching(self, decode: DecodeConfig) -> DecodeConfig:
        """Returns settings of a search, if the run has a use for all of them.

        Raises:
          InputError: If it has not.
        """
        try:
            return dataclasses.replace(self.config, decode=decode).decode
        except ValueError as error:
            raise InputError(f"{self.run.path}: {error}") from None

    def continuer(
        self,
        decode: DecodeConfig | None = None,
        announce: AnnounceFn = silent,
        *,
        forbidden: Sequence[str] = (),
    ) -> Continuer:
        """Returns a language-model run as something that continues a text, never by `forbidden`."""
        model: Any = self.learner.model
        vocabulary, decode = self.vocabularies["text"], decode or self.config.decode
        rules = build_rules(decode, vocabulary, may_be_unknown=False, forbidden=forbidden)
        return Continuer(model, vocabulary, decode, rules, announce=announce)

    def features(
        self, texts: Sequence[str], pool: Pool, announce: AnnounceFn = silent
    ) -> list[np.ndarray]:
        """Returns what the model makes of each text; see `features_of`."""
        model, data = self.learner.model, self.config.data
        if isinstance(self.task, PairTask):
            coder, say_fn = self.task.coder(self.vocabularies), encoder_outputs(model)
        else:
            text = self.vocabularies["text"]
            coder, say_fn = PairCoder(text, text), language_outputs(model)
        sayer = Sayer(
            say_fn,
            coder,
            batch_size=self.config.decode.batch_size,
            max_source=data.max_source,
            announce=announce,
        )
        return features_of(sayer, self.weights, texts, pool)

    def decode(self, texts: Sequence[str]) -> list[str]:
        """Returns the best answer to each text."""
        return [answers[0].text for answers in self.answer_fn()(self.weights, texts)]


def load(path: str) -> Trained | Fitted:
    """Returns the run at `path`, network or baseline. Nothing that is stored there is executed.

    Raises:
      InputError: If it is no run, or what is stored does not fit together.
    """
    run = open_run(path)
    config = run.read_config()
    return load_network(path) if config.model.kind == "network" else load_fitted(run, config)


def load_network(path: str) -> Trained:
    """Returns the run at `path` with its best weights, as `load`.

    Raises:
      InputError: As `load`, and if it is a baseline.
    """
    run = open_run(path)
    task = build_task(_without_cudnn(run.read_network_config()))
    statistics = run.read_statistics()
    vocabularies = {
        side: load_side(run.vocabulary, side, kind) for side, kind in task.kinds.items()
    }
    sizes = sizes_of(vocabularies)
    learner, example = task.learner(sizes), task.example(sizes)
    expected = jax.eval_shape(learner.init, example, jax.eval_shape(lambda: jax.random.key(0)))
    params, _ = load_weights(run.best_weights)
    _refuse_other_weights(run, params, expected)
    params = jax.tree.map(jnp.asarray, params)
    return Trained(run, run.read_config(), vocabularies, learner, params, statistics)


def _without_cudnn(config: Config) -> Config:
    """What cuDNN trained needs no GPU afterwards: the weights are those of every other way."""
    if config.model.unroll != "cudnn" or jax.default_backend() == "gpu":
        return config
    return dataclasses.replace(config, model=dataclasses.replace(config.model, unroll="auto"))


def _refuse_other_weights(run: RunDir, params: Parameters, expected: Any) -> None:
    """Weights must be those of the model that config and vocabularies describe."""
    shapes = [
        {
            jax.tree_util.keystr(path, simple=True, separator="/"): leaf.shape
            for path, leaf in leaves
        }
        for leaves in map(jax.tree_util.tree_leaves_with_path, (params, expected))
    ]
    for name in sorted(shapes[0].keys() | shapes[1].keys()):
        got, wanted = (side.get(name, "nothing") for side in shapes)
        if got != wanted:
            raise InputError(
                f"{run.best_weights}: weight {name} has shape {got}, the run's config makes it "
                f"{wanted}; restore config.json, vocabulary and weights of one training"
            )


class Evaluation(NamedTuple):
    """What a run is worth on some data.

    Attributes:
      scores: Plain JSON.
      decoded: The answers behind them; None for a language model.
    """

    scores: dict[str, Any]
    decoded: Decoded | None


def evaluate(
    trained: Trained | Fitted,
    data: Any,
    *,
    decode: DecodeConfig | None = None,
    answer_fn: Callable[[list[str]], list[list[Answer]]] | None = None,
    likelihood: bool = True,
    announce: AnnounceFn = silent,
) -> Evaluation:
    """Measures a run on examples of its task: pairs, or a running text.

    `seconds` and `sentences_per_second` are those of answering, compilation included.

    Args:
      trained: The run.
      data: As `Task.read` gives them.
      decode: How to search; by default as the run does.
      answer_fn: Answers in place of the run itself, searching as `decode` says.
      likelihood: Measure what the run itself makes of the targets, too.
      announce: Told of compilations.
    """
    task, decode = trained.task, decode or trained.config.decode
    scores: dict[str, Any] = {}
    if likelihood:
        scores |= trained.likelihood(data, announce)
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
    learning_curves(run.read_metrics(), paths[0])
    if decoded is not None and isinstance(trained.task, AnsweringTask):
        shown = range(min(4, len(decoded.sources)))
        said = Pairs(
            [decoded.sources[number] for number in shown],
            [decoded.answers[number][0].text for number in shown],
        )
        look = trained.task.look_fn(trained.learner, trained.vocabularies, silent)
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
