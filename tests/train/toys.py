"""The smallest learner: a line through the data. Its loss can be checked by hand."""

import contextlib
import functools

import jax
import jax.numpy as jnp
import numpy as np
import optax

from seqjax.train.average import moving_average
from seqjax.train.checkpoint import Checkpoints
from seqjax.train.loop import fit
from seqjax.train.plan import Plan
from seqjax.train.progress import Progress
from seqjax.train.step import init_state, train_step
from seqjax.types import Batch, Mean, Padded

KEY = jax.random.key(0)


def loss_fn(params, memory, batch, key, step):
    """Squared error of `slope * x`; `memory` counts the batches, the key adds noise."""
    x, y = batch.inputs.values, batch.targets.values
    weight = (jnp.arange(x.shape[1])[None] < batch.inputs.lengths[:, None]).astype(jnp.float32)
    noise = 0.01 * jax.random.normal(key)
    error = params["slope"] * x + noise - y
    loss = Mean(jnp.sum(weight * error**2), jnp.sum(weight))
    return loss, ({"error": Mean(jnp.sum(weight * jnp.abs(error)), jnp.sum(weight))}, memory + 1)


def make_batch(seed, rows=4, time=3, lengths=None):
    x = np.random.default_rng(seed).normal(size=(rows, time)).astype(np.float32)
    lengths = np.full(rows, time, np.int32) if lengths is None else np.array(lengths, np.int32)
    return Batch(Padded(x, lengths), Padded(3 * x, lengths))


def infinite(batch):
    """The same batch with values of which no loss is finite."""
    return batch._replace(inputs=batch.inputs._replace(values=np.inf * batch.inputs.values))


class Feed:
    """Five batches an epoch, different in every epoch."""

    batches_per_epoch = 5

    def batches(self, epoch, start):
        for number in range(start, 5):
            yield make_batch(100 * epoch + number)


class Watcher:
    """Keeps what it is told."""

    def __init__(self):
        self.rows, self.validations, self.notes, self.ways_back = [], [], [], []

    def stepped(self, progress, metrics, seconds):
        pass

    def row(self, row):
        self.rows.append(row)

    def validated(self, row, progress, is_best):
        self.validations.append((progress.step, is_best))

    def went_back(self, row, progress):
        self.ways_back.append(row)

    def note(self, text):
        self.notes.append(text)


SCHEDULE = optax.linear_schedule(0.1, 0.0, 1_000)
OPTIMIZER = optax.chain(optax.clip_by_global_norm(1.0), optax.adam(SCHEDULE))


def new_state(averaged=True):
    return init_state(
        {"slope": jnp.float32(0.0)}, OPTIMIZER, memory=jnp.float32(0.0), averaged=averaged
    )


@functools.cache
def step_fn():
    return jax.jit(
        functools.partial(
            train_step,
            loss_fn=loss_fn,
            optimizer=OPTIMIZER,
            schedule=SCHEDULE,
            average_fn=moving_average(0.5),
        )
    )


def recorded(made):
    """The step, which appends a number to `made` each time."""

    def step(state, batch, key):
        made.append(len(made))
        return step_fn()(state, batch, key)

    return step


def plan(**changes):
    settings = {
        "steps": None,
        "epochs": None,
        "minutes": None,
        "patience": 0,
        "validate_every": 5,
        "save_every": 5,
    }
    return Plan(**(settings | changes))


def run(
    state,
    progress,
    checkpoints,
    plan,
    *,
    watcher=None,
    validate=None,
    interrupted=None,
    step=None,
    react=None,
    report=None,
):
    kept = []
    result = fit(
        state,
        progress,
        step_fn=step or step_fn(),
        feed=Feed(),
        key=KEY,
        initial_memory=jnp.float32(0.0),
        validate=validate or (lambda params: {"loss": abs(3.0 - float(params["slope"]))}),
        react=react or (lambda state, stalled: state),
        keep_best=lambda params, row: kept.append((row["step"], float(params["slope"]))),
        checkpoints=checkpoints,
        plan=plan,
        report=report or (lambda state, batch, progress: f"in batch {progress.batch}"),
        observer=watcher or Watcher(),
        interrupted=interrupted or (lambda: False),
    )
    return *result, kept


class NoCheckpoints(Checkpoints):
    """Keeps nothing."""

    def __init__(self):
        self.saved = []

    def save(self, state, progress, *, again=False):
        self.saved.append(int(state.step))

    def steps(self):
        return self.saved


def leaves(state):
    return [np.asarray(leaf) for leaf in jax.tree.leaves(state)]


silent = contextlib.nullcontext
START = Progress()
