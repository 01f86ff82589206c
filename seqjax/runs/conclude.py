"""After training, or on request: a run loaded from its directory, measured, and pictured."""

import dataclasses
import functools
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from seqjax.build.data import build_coder, pair_batches, text_windows
from seqjax.build.learner import Learner, build_learner
from seqjax.build.rules import build_rules
from seqjax.config import Config, DecodeConfig
from seqjax.data.planning import Shape
from seqjax.data.readers import Pairs
from seqjax.data.vocabulary import Vocabulary
from seqjax.errors import InputError
from seqjax.files import write_text
from seqjax.predict.answer import silent
from seqjax.predict.answerer import Answerer
from seqjax.predict.continuer import Continuer
from seqjax.predict.voices import Weights
from seqjax.report.attention import AttentionExample, attention_figure
from seqjax.report.curves import learning_curves
from seqjax.rundir import RunDir, load_weights, open_run
from seqjax.runs.looking import Attention
from seqjax.runs.measure import AnswerFn, Decoded, Likelihood, build_answerer, decode_pairs
from seqjax.train.compiled import AnnounceFn
from seqjax.types import Batch, Padded, Parameters


class Trained(NamedTuple):
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
    vocabularies: dict[str, Vocabulary]
    learner: Learner
    params: Parameters
    statistics: dict[str, Any]

    @property
    def weights(self) -> Weights:
        """The best weights, as an `Answerer` takes them."""
        return Weights((self.params,))

    def answerer(
        self, decode: DecodeConfig | None = None, announce: AnnounceFn = silent
    ) -> Answerer:
        """Returns a text-to-text run as something that answers; `decode` replaces its settings."""
        return build_answerer(
            self.config,
            decode or self.config.decode,
            self.learner,
            self.vocabularies,
            self.statistics["longest_target"],
            announce,
        )

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

    def decode(self, texts: Sequence[str]) -> list[str]:
        """Returns the best answer to each text."""
        return [answers[0].text for answers in self.answerer()(self.weights, texts)]


def load(path: str) -> Trained:
    """Returns the run at `path` with its best weights. Nothing that is stored there is executed.

    Raises:
      InputError: If it is no run, or what is stored does not fit together.
    """
    run = open_run(path)
    config = run.read_config()
    sides = ("source", "target") if config.task == "text-to-text" else ("text",)
    vocabularies = {side: Vocabulary.load(run.vocabulary, side) for side in sides}
    learner = build_learner(_without_cudnn(config), vocabularies)
    expected = jax.eval_shape(lambda: learner.init(_smallest_batch(config), jax.random.key(0)))
    params, _ = load_weights(run.best_weights)
    _refuse_other_weights(run, params, expected)
    statistics = run.read_statistics()
    return Trained(
        run, config, vocabularies, learner, jax.tree.map(jnp.asarray, params), statistics
    )


def _without_cudnn(config: Config) -> Config:
    """What cuDNN trained needs no GPU afterwards: the weights are those of every other way."""
    if config.model.unroll != "cudnn" or jax.default_backend() == "gpu":
        return config
    return dataclasses.replace(config, model=dataclasses.replace(config.model, unroll="auto"))


def _smallest_batch(config: Config) -> Batch:
    rows = config.data.batch_size if config.task == "language-model" else 1
    one = Padded(jnp.zeros((rows, 1), jnp.int32), jnp.ones((rows,), jnp.int32))
    if config.model.copying:
        return Batch(one._replace(values=jnp.zeros((rows, 1, 2), jnp.int32)), one)
    return Batch(one, one)


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
    trained: Trained,
    data: Any,
    *,
    decode: DecodeConfig | None = None,
    answer_fn: AnswerFn | None = None,
    likelihood: bool = True,
    announce: AnnounceFn = silent,
    bleu_tokenizer: str = "13a",
) -> Evaluation:
    """Measures a run on pairs (text-to-text) or a running text (language model).

    `seconds` and `sentences_per_second` are those of decoding, compilation included.

    Args:
      trained: The run.
      data: Pairs, or a text.
      decode: How to search; by default as the run does.
      answer_fn: Answers in place of the run itself, searching as `decode` says.
      likelihood: Measure what the run itself, by teacher forcing, makes of the pairs, too.
      announce: Told of compilations.
      bleu_tokenizer: sacreBLEU's.
    """
    likelihood_fn = Likelihood(trained.learner, announce)
    if trained.config.task == "language-model":
        windows = text_windows(data, trained.vocabularies["text"], trained.config)
        return Evaluation(likelihood_fn(trained.params, windows.batches(0)), None)
    decode = decode or trained.config.decode
    scores: dict[str, Any] = {}
    if likelihood:
        shapes = [Shape(*shape) for shape in trained.statistics["shapes"]]
        coder = build_coder(trained.config, trained.vocabularies)
        batches = pair_batches(data, coder, shapes)
        scores |= likelihood_fn(trained.params, batches.batches(0))
    if answer_fn is None:
        answer_fn = functools.partial(trained.answerer(decode, announce), trained.weights)
    started = time.monotonic()
    decoded = decode_pairs(answer_fn, data, trained.vocabularies["target"], bleu_tokenizer)
    seconds = time.monotonic() - started
    scores |= decoded.scores
    scores |= {
        "seconds": round(seconds, 2),
        "sentences_per_second": round(len(decoded.sources) / seconds, 1),
        "method": decode.method,
        "beam_size": decode.beam_size if decode.method == "beam" else 1,
        "length_penalty": decode.length_penalty,
    }
    return Evaluation(scores, decoded)


def attention_of(trained: Trained, pairs: Pairs) -> list[AttentionExample]:
    """Returns where each target token of each pair looked; empty for a model without attention."""
    look = Attention(trained.config, trained.learner.model, trained.vocabularies)
    return look(trained.params, pairs)


def picture(trained: Trained, decoded: Decoded | None) -> list[str]:
    """Draws learning curves and attention into the run; returns the paths."""
    run = trained.run
    run.pictures.mkdir(exist_ok=True)
    paths = [run.pictures / "learning_curves.png"]
    learning_curves(run.read_metrics(), paths[0])
    if decoded is not None:
        shown = range(min(4, len(decoded.sources)))
        said = Pairs(
            [decoded.sources[number] for number in shown],
            [decoded.answers[number][0].text for number in shown],
        )
        examples = attention_of(trained, said)
        if examples:
            paths.append(run.pictures / "attention.png")
            attention_figure(examples, paths[1])
    return [str(path) for path in paths]


def store(trained: Trained, evaluation: Evaluation, split: str, spent: Mapping[str, float]) -> None:
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
