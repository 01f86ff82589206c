"""`seqjax train`: train or go on, or fit a baseline; then say what has been learnt."""

import math
from typing import Any

import jax
from rich.table import Table

from seqjax.cli import cluster
from seqjax.cli.cluster import RESUMABLE
from seqjax.cli.flags import ProcessFlags, TrainFlags
from seqjax.cli.screen import PERCENT, Screen
from seqjax.config import Config
from seqjax.errors import InputError
from seqjax.runs.conclude import Evaluation, evaluate, picture, store
from seqjax.runs.fitted import Fitted
from seqjax.runs.fitting import fit
from seqjax.runs.measure import Likelihood
from seqjax.runs.rehearse import rehearse
from seqjax.runs.road import train
from seqjax.runs.trained import Trained, load
from seqjax.tasks.task import AnsweringTask, TaskData
from seqjax.train import processes
from seqjax.train.exactness import exactness_line
from seqjax.train.interrupt import AskedToStop
from seqjax.train.loop import INTERRUPTED

EXAMPLES = 5
SCORES = {
    "accuracy": "accuracy",
    "macro_f1": "macro-F1",
    "calibration_error": "calibration error",
    "span_f1": "span F1",
    "exact_match": "exact match",
    "token_accuracy": "token accuracy, given the true tokens before",
    "token_error_rate": "token error rate",
    "perplexity": "perplexity",
    "mean_squared_error": "mean squared error",
    "mean_absolute_error": "mean absolute error",
    "r2": "share of the variance told (R²)",
    "frame_f1": "frame F1",
    "frame_accuracy": "frame accuracy",
    "loss_after_first": "the same without first steps",
    "bits_per_token": "bits per token",
    "bleu": "BLEU",
    "rouge_1": "ROUGE-1",
    "rouge_2": "ROUGE-2",
    "rouge_l": "ROUGE-L",
    "response_accuracy": "responses right",
    "dialogue_accuracy": "whole dialogues right",
    "seconds": "seconds of decoding",
    "sentences_per_second": "sequences/s decoded",
}


def run(flags: TrainFlags) -> int:
    """Runs the command; see `main` for exit codes."""
    if flags.settings.model.kind != "network":
        return _fit(flags, flags.settings)
    if flags.dry_run or not cluster.join(flags.processes):
        return _run(flags)
    with cluster.together(flags.processes, flags.settings):
        return _run(flags)


def _run(flags: TrainFlags) -> int:
    config = flags.settings
    if not processes.is_first():
        return _train_silently(flags, config)
    with Screen() as screen, screen.working("starting"):
        try:
            return _train(flags, config, screen)
        except AskedToStop:
            screen.note("stopped  before the first step; the same command goes on from there")
            return RESUMABLE


def _train_silently(flags: TrainFlags, config: Config) -> int:
    """What a process does that leaves screen and results to the first one."""
    outcome = train(config, resume=flags.resume, overwrite=flags.overwrite)
    cluster.leave()
    return RESUMABLE if outcome.reason == INTERRUPTED else 0


def _train(flags: TrainFlags, config: Config, screen: Screen) -> int:
    screen.begin(config)
    if flags.deterministic:
        screen.note(exactness_line(jax.default_backend()))
    if flags.dry_run:
        rehearse(config, screen)
        return 0
    outcome = train(
        config,
        screen,
        resume=flags.resume,
        overwrite=flags.overwrite,
        profile_steps=flags.profiled,
    )
    cluster.leave()
    if outcome.finished_before and outcome.run.results.exists():
        screen.note(
            f"done     already: {outcome.reason} at step {outcome.progress.step}; nothing was "
            f"changed (seqjax inspect {config.run_dir} tells what it has come to)"
        )
        return 0
    if outcome.reason == INTERRUPTED:
        screen.note(
            f"saved    step {outcome.progress.step} in {config.run_dir}; "
            f"the same command goes on from there"
        )
        return RESUMABLE
    screen.note(
        f"done     {outcome.reason} · best {config.validation.metric} "
        f"{outcome.progress.best if outcome.progress.best is not None else math.nan:.4f} at step "
        f"{outcome.progress.best_step} · {outcome.progress.seconds:.0f} s of training"
    )
    screen.note(spent_line(outcome.spent))
    with screen.working("answering"):
        _conclude(
            *(str(outcome.run.path), outcome.data, outcome.progress.seconds, outcome.spent),
            *(screen, outcome.likelihood),
        )
    return 0


def _fit(flags: TrainFlags, config: Config) -> int:
    """What there is to do for a baseline: no steps, and nothing to go on with."""
    for flag, given in (
        ("--dry-run", flags.dry_run),
        ("--profile-steps", flags.profile_steps is not None),
        ("--processes", flags.processes != ProcessFlags()),
    ):
        if given:
            raise InputError(f"{flag} is of networks; leave it out with {config.model.kind}")
    with Screen() as screen, screen.working("fitting"):
        found = fit(config, screen, resume=flags.resume, overwrite=flags.overwrite)
        if found.finished_before and found.run.results.exists():
            screen.note(
                f"done     already; nothing was changed (seqjax evaluate {config.run_dir} measures "
                "it again)"
            )
            return 0
        screen.note(f"done     fitted in {found.seconds:.1f} s")
        spent = {"fit": found.seconds}
        _conclude(str(found.run.path), found.data, found.seconds, spent, screen)
    return 0


def spent_line(spent: dict[str, float]) -> str:
    """Returns where the time went, what took longest first.

    >>> spent_line({"step": 75.0, "other": 1.0, "data": 24.0})
    'time     step 75.0 s (75%) · data 24.0 s (24%) · other 1.0 s (1%)'
    """
    whole = sum(spent.values()) or 1.0
    parts = sorted(spent.items(), key=lambda part: -part[1])
    return "time     " + " · ".join(
        f"{name} {seconds:.1f} s ({100 * seconds / whole:.0f}%)" for name, seconds in parts
    )


def _conclude(
    path: str,
    known: TaskData,
    seconds: float,
    spent: dict[str, float],
    screen: Screen,
    compiled: Likelihood | None = None,
) -> None:
    """Measures the best weights on data they have not seen, and shows it; with what measured while
    they were trained, if it is there, whose shapes need not be compiled again."""
    trained = load(path)
    split, data = ("valid", known.valid) if known.test is None else ("test", known.test)
    screen.note(f"measure  the best weights on the {split} data")
    likelihood = None
    if compiled is not None and isinstance(trained, Trained):
        batches = trained.task.batches(data, trained.vocabularies, trained.statistics)
        likelihood = compiled(trained.params, batches)
    evaluation = evaluate(trained, data, likelihood=likelihood, announce=screen.compiling)
    store(trained, evaluation, split, spent)
    paths = picture(trained, evaluation.decoded) if isinstance(trained, Trained) else []
    screen.console.print(_table(evaluation.scores, trained.task.loss_unit, seconds, split))
    _show_examples(evaluation, trained, screen)
    for line in ("run", path), *(("picture", path) for path in paths):
        screen.note(f"{line[0]:<8} {line[1]}")
    screen.note("next     " + "\n         ".join(_next_commands(trained)))


def _table(scores: dict[str, Any], loss_unit: str, seconds: float, split: str) -> Table:
    table = Table("score", split, title=None)
    table.columns[1].justify = "right"
    for name, label in ({"loss": loss_unit} | SCORES).items():
        if name in scores:
            value = scores[name]
            table.add_row(label, f"{100 * value:.2f} %" if name in PERCENT else f"{value:,.3f}")
    table.add_row("seconds of training", f"{seconds:,.0f}")
    return table


def _show_examples(evaluation: Evaluation, trained: Trained | Fitted, screen: Screen) -> None:
    decoded = evaluation.decoded
    if decoded is None:
        return
    sources = decoded.sources[:EXAMPLES]
    search = trained.config.decode
    if isinstance(trained.task, AnsweringTask) and trained.task.searches:
        search = _with_alternatives(search)
    # Texts of a baseline have no probability.
    told = isinstance(trained, Trained) or trained.config.task != "text-to-text"
    shown = trained.answer_fn(search)(trained.weights, sources)
    for source, accepted, answers in zip(sources, decoded.references, shown, strict=False):
        screen.note(f"\n  {source}")
        for rank, answer in enumerate(answers[:3]):
            mark = "✓" if answer.text in accepted else " "
            text = answer.text or "(nothing)"
            numbers = f"   score {answer.score:.4f}   p {math.exp(answer.log_prob):.4f}"
            screen.note(f"   {mark} {text}{numbers if told else ''}")
            if rank == 0 and answer.text not in accepted:
                screen.note(f"     wanted {accepted[0]}")
    screen.note("")


def _with_alternatives(search):
    import dataclasses

    return dataclasses.replace(
        search, method="beam", beam_size=max(search.beam_size, 3), n_best=3, batch_size=8
    )


def _next_commands(trained: Trained | Fitted) -> list[str]:
    run, config = trained.run.path, trained.config
    if config.task == "regress":
        return [f"seqjax predict {run} < FILE", f"seqjax evaluate {run} --data FILE"]
    if config.task in ("classify", "tag"):
        return [f"seqjax predict {run} --probs < FILE", f"seqjax evaluate {run} --data FILE"]
    if config.task == "language-model":
        return [f'seqjax generate {run} --prompt "The"', f"seqjax evaluate {run} --data FILE"]
    if config.task == "music":
        prompt = "60+64+67 62+65+69"
        return [f"seqjax generate {run} --prompt {prompt!r}", f"seqjax evaluate {run} --data FILE"]
    if isinstance(trained, Fitted):
        return [f"seqjax decode {run} < FILE", f"seqjax evaluate {run} --data FILE"]
    return [
        f"seqjax decode {run} --n-best 3 --scores < FILE",
        f"seqjax evaluate {run} --data FILE",
        f"seqjax inspect {run}",
    ]
