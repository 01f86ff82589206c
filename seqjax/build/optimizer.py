"""From configuration to an optax transformation."""

from typing import Any

import jax
import jax.numpy as jnp
import optax
from optax.contrib import MuonDimensionNumbers, scale_by_muon

from seqjax.config import OptimizerConfig
from seqjax.train.freezing import learn_only
from seqjax.train.noise import gradient_noise
from seqjax.train.paths import map_with_paths

MUON_RMS = 0.2
"""Root mean square of a step of Muon: about that of Adam's, so that one learning rate serves both
(Liu et al., "Muon is scalable for LLM training", 2025, section 2.2)."""
OUTPUT = "output_map"
"""What the layer is called whose columns are tokens."""


def build_optimizer(
    config: OptimizerConfig, schedule: optax.Schedule
) -> optax.GradientTransformationExtraArgs:
    """Returns what turns gradients into updates, as one optax transformation.

    In this order: entries are clipped, the norm is clipped, noise is added, the rule is applied. Of
    all this frozen weights have no part: no gradient, no noise, no decay, no state.
    """
    stages = []
    if config.clip_value:
        stages.append(optax.clip(config.clip_value))
    if config.clip_norm:
        stages.append(optax.clip_by_global_norm(config.clip_norm))
    if config.gradient_noise:
        stages.append(gradient_noise(config.gradient_noise))
    optimizer = optax.chain(*stages, build_rule(config, schedule))
    return learn_only(optimizer, config.freeze)


def build_rule(
    config: OptimizerConfig, schedule: optax.Schedule
) -> optax.GradientTransformationExtraArgs:
    """Returns the update rule: a direction, decay of the weights, a learning rate.

    The equations and their sources are in docs/training.md. No state depends on the learning rate.
    """
    b1, eps = _given(config.b1, 0.9), _given(config.eps, 1e-8)
    b2 = _given(config.b2, 0.99 if config.name == "lion" else 0.999)
    adam = optax.scale_by_adam(b1, b2, eps)
    decay = optax.identity()
    if config.weight_decay:
        decay = optax.add_decayed_weights(config.weight_decay, lambda tree: decayed(config, tree))
    match config.name:
        case "adam" | "adamw":
            direction = adam
        case "sgd" | "nt_asgd":
            momentum = optax.identity()
            if config.momentum:
                momentum = optax.trace(config.momentum, config.nesterov)
            direction, decay = optax.chain(decay, momentum), optax.identity()
        case "lion":
            direction = optax.scale_by_lion(b1, b2)
        case "adafactor":
            direction = optax.chain(
                optax.scale_by_factored_rms(epsilon=_given(config.eps, 1e-30)),
                optax.clip_by_block_rms(1.0),
                optax.scale_by_param_block_rms(),
            )
        case "muon":
            matrices = orthogonal_steps(_given(config.momentum, 0.95), eps)
            direction = optax.partition({"matrix": matrices, "other": adam}, _muon_labels)
    return optax.chain(direction, decay, optax.scale_by_learning_rate(schedule))


def decayed(config: OptimizerConfig, tree: Any) -> Any:
    """Returns which weights decay, as a tree of booleans: what they are is read from their name."""
    endings = {"kernels": ("kernel",), "matrices": ("kernel", "embedding"), "all": ("",)}
    return map_with_paths(lambda path, leaf: path.endswith(endings[config.decayed]), tree)


def orthogonal_steps(momentum: float, eps: float) -> optax.GradientTransformation:
    """Returns Muon's direction for trees of matrices.

    Nesterov momentum, made nearly orthogonal by five Newton-Schulz iterations, and scaled by
    `MUON_RMS` times the root of the longer side.

    References:
      Jordan, "Muon: an optimizer for hidden layers in neural networks", 2024.
    """
    everywhere = lambda tree: jax.tree.map(lambda leaf: MuonDimensionNumbers(), tree)
    longer = lambda leaf: jnp.sqrt(jnp.asarray(max(leaf.shape), leaf.dtype))
    scale = optax.stateless(
        lambda updates, params: jax.tree.map(lambda leaf: MUON_RMS * longer(leaf) * leaf, updates)
    )
    return optax.chain(
        scale_by_muon(beta=momentum, eps=eps, weight_dimension_numbers=everywhere), scale
    )


def _muon_labels(tree: Any) -> Any:
    """Hidden layers are matrices; embeddings, output layer and what is no matrix are not meant."""

    def label(path: str, leaf) -> str:
        hidden = leaf.ndim == 2 and path.endswith("kernel") and OUTPUT not in path.split("/")
        return "matrix" if hidden else "other"

    return map_with_paths(label, tree)


def _given(value: float | None, default: float) -> float:
    return default if value is None else value
