"""Trains a few steps on a mesh of virtual devices, and prints what came of it as one JSON object.

    python meshes.py TASK WAY DATA MODEL

Run in a process of its own: how many devices the CPU has is decided before JAX starts.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

STEPS = 3
TASKS = ("seq2seq", "language-model")


def trained(task, way, meshes, devices=8):
    """Returns what `main` prints for each of the meshes `(data, model)`."""
    quickly = f"{os.environ.get('XLA_FLAGS', '')} --xla_backend_optimization_level=0"
    flags = f"{quickly} --xla_force_host_platform_device_count={devices}"
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, __file__, task, way, json.dumps(meshes)],
        env=os.environ | {"XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    return [json.loads(line) for line in found.stdout.splitlines()]


def settings(task, way, data, model):
    """Dropout, a moving average, clipping; vocabularies that 4 divides."""
    from seqjax import config

    texts = {"embedded": "copy", "examples": 70, "max_length": 5, "buckets": 1}
    return config.Config(
        task="language-model" if task == "language-model" else "text-to-text",
        data=config.DataConfig(batch_size=16, window=6, **texts),
        model=config.ModelConfig(embedding_size=8, hidden_size=8, dropout=0.4, unroll=way),
        optimizer=config.OptimizerConfig(warmup_steps=2, average_decay=0.9),
        mesh=config.MeshConfig(data=data, model=model),
    )


def vocabularies(task):
    """Returns vocabularies of 32 tokens."""
    from seqjax.data.vocabulary import Vocabulary

    letters = Vocabulary.build([chr(ord("a") + number) for number in range(28)], "chars")
    assert len(letters) == 32
    return {"text": letters} if task == "language-model" else {"source": letters, "target": letters}


def batches(task, count):
    """Returns random batches, the same for any mesh; the last row of each is a filling one."""
    import numpy as np

    from seqjax.types import Batch, Padded

    draw = np.random.default_rng(0)

    def side(time):
        lengths = draw.integers(0, time + 1, 16).astype(np.int32)
        lengths[-1] = 0
        return Padded(draw.integers(4, 32, (16, time)).astype(np.int32), lengths)

    for _ in range(count):
        source, target = side(6), side(6)
        same = task == "language-model"
        yield Batch(source, target._replace(lengths=source.lengths) if same else target)


def main(task, way, meshes):
    import jax
    import numpy as np

    from seqjax.build.mesh import build_layout
    from seqjax.build.training import build_training
    from seqjax.tasks.choose import build_task
    from seqjax.tasks.task import sizes_of
    from seqjax.train.mesh import gather, put

    for data, model in json.loads(meshes):
        config = settings(task, way, data, model)
        layout = build_layout(config)
        learner = build_task(config).learner(sizes_of(vocabularies(task)))
        training = build_training(config.optimizer, learner, None, 5)
        key = jax.random.key(0)
        draw = np.random.default_rng(1)
        params = jax.tree.map(  # its own initial weights would take as long to compile as a step
            lambda leaf, draw=draw: draw.normal(scale=0.3, size=leaf.shape).astype(leaf.dtype),
            jax.eval_shape(learner.init, next(batches(task, 1)), key),
        )
        state = training.init_fn(jax.device_put(params))
        before, after = layout.of_step(state)
        step_fn = jax.jit(
            training.step_fn, in_shardings=before, out_shardings=after, donate_argnums=0
        )
        state, losses = put(state, before[0]), []
        for batch in batches(task, STEPS):
            state, metrics = step_fn(state, layout.put_rows(batch), put(key, layout.everywhere))
            losses.append(float(metrics.loss.total))
        found = {
            "losses": losses,
            "state": {
                jax.tree_util.keystr(path): np.asarray(leaf, np.float64).ravel().tolist()
                for path, leaf in jax.tree_util.tree_leaves_with_path(gather(state))
            },
            "lies": {
                jax.tree_util.keystr(path): [leaf.shape, leaf.sharding.shard_shape(leaf.shape)]
                for path, leaf in jax.tree_util.tree_leaves_with_path(state)
            },
        }
        print(json.dumps(found), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
