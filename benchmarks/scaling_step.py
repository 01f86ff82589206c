"""Compiles the training step of a preset for some virtual devices, and says what they exchange.

    python -m benchmarks.scaling_step PRESET DATA MODEL

Nothing is computed and no weight is made. Prints one JSON object.
"""

import dataclasses
import json
import math
import os
import sys
from typing import Any

VOCABULARY = {"sentences": 8_192, "docs": 8_192, "dates": 64}
"""Tokens of each side."""
LENGTH = 32
"""Tokens of a row on both sides, of a text-to-text model."""


def main(preset: str, data: int, model: int) -> None:
    """Prints gradient bytes, tokens and collectives of one step."""
    devices = data * model
    os.environ["XLA_FLAGS"] = (  # how well each device runs it is not asked
        f"--xla_force_host_platform_device_count={devices} --xla_backend_optimization_level=0"
    )
    os.environ["JAX_PLATFORMS"] = "cpu"
    import jax

    from benchmarks.collectives import collectives
    from seqjax.build.mesh import build_layout
    from seqjax.build.training import build_training
    from seqjax.tasks.choose import build_task
    from seqjax.tasks.task import sizes_of

    config, batch = case(preset, data, model)
    layout = build_layout(config)
    learner = build_task(config).learner(sizes_of(vocabularies(config, preset)))
    training = build_training(config.optimizer, learner, 10_000, 1_000)
    key = jax.eval_shape(lambda: jax.random.key(0))
    params = jax.eval_shape(learner.init, batch, key)
    state = jax.eval_shape(training.init_fn, params)
    before, after = layout.of_step(state)
    step_fn = jax.jit(training.step_fn, in_shardings=before, out_shardings=after, donate_argnums=0)
    program = step_fn.lower(state, batch, key).compile().as_text()
    assert program is not None
    dealt = jax.tree.map(lambda leaf, lie: lie.shard_shape(leaf.shape), params, before[0].params)
    found = {
        "gradient_bytes": 4 * sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(params)),
        "gradient_bytes_of_a_device": 4
        * sum(math.prod(shape) for shape in jax.tree.leaves(dealt, is_leaf=_is_shape)),
        "rows": config.data.batch_size,
        "collectives": [collective._asdict() for collective in collectives(program, devices)],
    }
    print(json.dumps(found))


def case(preset: str, data: int, model: int) -> tuple[Any, Any]:
    """Returns settings and the shapes of a batch: as many rows for each line of the mesh."""
    import jax
    import numpy as np

    from seqjax.config import MeshConfig
    from seqjax.presets import PRESETS
    from seqjax.types import Batch, Padded

    config = PRESETS[preset]
    rows = config.data.batch_size * data
    config = dataclasses.replace(
        config,
        data=dataclasses.replace(config.data, batch_size=rows),
        mesh=MeshConfig(data=data, model=model),
    )
    time = config.data.window if config.task == "language-model" else LENGTH
    side = Padded(
        jax.ShapeDtypeStruct((rows, time), np.int32), jax.ShapeDtypeStruct((rows,), np.int32)
    )
    return config, Batch(side, side)


def vocabularies(config: Any, preset: str) -> dict[str, Any]:
    """Returns vocabularies of made-up words."""
    from seqjax.data.vocabulary import Vocabulary

    words = Vocabulary.build([f"word{number}" for number in range(VOCABULARY[preset] - 4)], "words")
    sides = ("text",) if config.task == "language-model" else ("source", "target")
    return dict.fromkeys(sides, words)


def _is_shape(value: Any) -> bool:
    return isinstance(value, tuple) and all(isinstance(size, int) for size in value)


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
