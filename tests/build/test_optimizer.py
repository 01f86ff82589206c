"""Update rules beside loops in NumPy, and the order in which what goes before them acts."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from oracles import optimizers

from seqjax.build.optimizer import build_optimizer
from seqjax.config import OptimizerConfig

pytestmark = pytest.mark.standard_promotion

STEPS = 5
SHAPES = {
    "cells_0/recurrent_kernel": (5, 8),
    "cells_0/bias": (8,),
    "embedding/embedding": (6, 5),
    "output_map/kernel": (5, 6),
    "wide/kernel": (130, 129),
}
RATES = [0.02 / (1 + step) for step in range(STEPS)]
SCHEDULE = lambda step: 0.02 / (1.0 + step)
DECAY = 0.3


def normal(seed):
    generator = np.random.default_rng(seed)
    return {name: generator.normal(size=shape) for name, shape in SHAPES.items()}


WEIGHTS = normal(0)
GRADIENTS = [normal(seed) for seed in range(1, STEPS + 1)]


def nested(flat):
    tree = {}
    for path, value in flat.items():
        room, name = path.split("/")
        tree.setdefault(room, {})[name] = jnp.asarray(value, jnp.float32)
    return tree


def flat(tree):
    return {
        f"{room}/{name}": np.asarray(leaf)
        for room, rest in tree.items()
        for name, leaf in rest.items()
    }


def trained(config, gradients=GRADIENTS):
    """The weights after one update with each of the gradients."""
    optimizer = build_optimizer(config, SCHEDULE)
    params = nested(WEIGHTS)
    state = jax.jit(optimizer.init)(params)

    @jax.jit
    def update(gradients, state, params):
        updates, state = optimizer.update(gradients, state, params)
        return optax.apply_updates(params, updates), state

    for each in gradients:
        params, state = update(nested(each), state, params)
    return flat(params)


def plain(name, **settings):
    return OptimizerConfig(name=name, clip_norm=0.0, **settings)


ADAM_BY_MUON = ("cells_0/bias", "embedding/embedding", "output_map/kernel")
RULES = {
    "adam": (plain("adam"), optimizers.adam, {}),
    "adam_given": (
        plain("adam", b1=0.7, b2=0.9, eps=1e-2),
        optimizers.adam,
        {"b1": 0.7, "b2": 0.9, "eps": 1e-2},
    ),
    "adamw": (plain("adamw", weight_decay=DECAY), optimizers.adam, {"decay": DECAY}),
    "sgd": (plain("sgd"), optimizers.sgd, {}),
    "sgd_decayed": (
        plain("sgd", weight_decay=DECAY, momentum=0.8),
        optimizers.sgd,
        {"decay": DECAY, "momentum": 0.8},
    ),
    "nesterov": (
        plain("sgd", momentum=0.8, nesterov=True),
        optimizers.sgd,
        {"momentum": 0.8, "nesterov": True},
    ),
    "nt_asgd": (plain("nt_asgd", weight_decay=DECAY), optimizers.sgd, {"decay": DECAY}),
    "lion": (plain("lion", weight_decay=DECAY), optimizers.lion, {"decay": DECAY}),
    "lion_given": (plain("lion", b1=0.5, b2=0.6), optimizers.lion, {"b1": 0.5, "b2": 0.6}),
    "adafactor": (plain("adafactor", weight_decay=DECAY), optimizers.adafactor, {"decay": DECAY}),
    "adafactor_given": (plain("adafactor", eps=0.5), optimizers.adafactor, {"eps1": 0.5}),
    "muon": (plain("muon", weight_decay=DECAY), optimizers.muon, {"decay": DECAY}),
    "muon_given": (plain("muon", momentum=0.6), optimizers.muon, {"momentum": 0.6}),
}


@pytest.mark.parametrize("case", RULES)
def test_rules_are_their_equations(case):
    config, oracle, settings = RULES[case]
    found = trained(config)
    for name, weights in WEIGHTS.items():
        by_hand = oracle
        if config.name == "muon" and name in ADAM_BY_MUON:
            by_hand = optimizers.adam
        own = {key: value for key, value in settings.items() if key in ("decay",)}
        own = settings if by_hand is oracle else own
        if name == "cells_0/bias" and "decay" in own:
            own = own | {"decay": 0.0}
        expected = by_hand(weights, [each[name] for each in GRADIENTS], RATES, **own)
        np.testing.assert_allclose(found[name], expected, rtol=2e-4, atol=2e-6, err_msg=name)


@pytest.mark.parametrize(
    ("decayed", "names"),
    (
        ("kernels", {"cells_0/recurrent_kernel", "output_map/kernel", "wide/kernel"}),
        ("matrices", set(SHAPES) - {"cells_0/bias"}),
        ("all", set(SHAPES)),
    ),
)
def test_what_decays_is_chosen(decayed, names):
    zeros = [{name: np.zeros(shape) for name, shape in SHAPES.items()}]
    found = trained(plain("adamw", weight_decay=DECAY, decayed=decayed), zeros)
    for name, weights in WEIGHTS.items():
        share = 1 - RATES[0] * DECAY * (name in names)
        np.testing.assert_allclose(found[name], share * weights, rtol=1e-6, err_msg=name)


def test_entries_are_clipped_before_the_norm():
    found = trained(OptimizerConfig(name="sgd", clip_value=0.5, clip_norm=3.0))
    gradients = [
        optimizers.clipped({name: np.clip(g, -0.5, 0.5) for name, g in each.items()}, 3.0)
        for each in GRADIENTS
    ]
    for name, weights in WEIGHTS.items():
        expected = optimizers.sgd(weights, [each[name] for each in gradients], RATES)
        np.testing.assert_allclose(found[name], expected, rtol=1e-4, atol=1e-6)


def test_noise_is_added_to_what_is_clipped_and_falls_as_in_the_paper():
    """The norm of a clipped gradient is next to nothing beside that of the noise."""
    config = OptimizerConfig(name="sgd", clip_norm=1e-3, gradient_noise=0.3)
    optimizer = build_optimizer(config, lambda step: 1.0)
    params, key = nested(WEIGHTS), jax.random.key(0)
    state, draws = optimizer.init(params), []
    update = jax.jit(optimizer.update)
    for number, each in enumerate(GRADIENTS):
        updates, state = update(nested(each), state, params, key=jax.random.fold_in(key, number))
        draws.append(flat(updates)["wide/kernel"])
    for t, draw in enumerate(draws):
        np.testing.assert_allclose(np.std(draw), np.sqrt(0.3 / (1 + t) ** 0.55), rtol=0.03)
        np.testing.assert_allclose(np.mean(draw), 0.0, atol=0.02)
    assert abs(np.corrcoef(draws[0].ravel(), draws[1].ravel())[0, 1]) < 0.03


def test_muon_steps_are_nearly_orthogonal_and_as_long_as_told():
    optimizer = build_optimizer(plain("muon"), lambda step: 1.0)
    params = nested(WEIGHTS)
    updates, _ = jax.jit(lambda g: optimizer.update(g, optimizer.init(params), params))(
        nested(GRADIENTS[0])
    )
    step = -flat(updates)["wide/kernel"]
    values = np.linalg.svd(step / (0.2 * np.sqrt(130)), compute_uv=False)
    assert np.median(np.abs(values - 1)) < 0.3 and values.max() < 1.3


@pytest.mark.parametrize("name", ("adamw", "muon"))
def test_frozen_weights_stay_and_no_optimizer_knows_them(name):
    """What remains is learnt as if there were nothing else, and -0 stays -0."""
    frozen = ("embedding/embedding", "cells_0/bias")
    whole = nested(WEIGHTS | {"cells_0/bias": np.full(8, -0.0)})
    without = lambda tree: nested({path: leaf for path, leaf in tree.items() if path not in frozen})
    zeros = {path: np.zeros(SHAPES[path]) for path in frozen}

    def one_update(params, gradients, freeze):
        config = OptimizerConfig(name=name, freeze=freeze, weight_decay=DECAY, decayed="all")
        optimizer = build_optimizer(config, SCHEDULE)

        @jax.jit
        def update(params, gradients):
            updates, state = optimizer.update(gradients, optimizer.init(params), params)
            return optax.apply_updates(params, updates), state

        return update(params, gradients)

    after, state = one_update(whole, nested(GRADIENTS[0] | zeros), ("embedding", "*/bias"))
    expected, state_of_few = one_update(without(WEIGHTS), without(GRADIENTS[0]), ())
    sizes = lambda tree: sorted(leaf.size for leaf in jax.tree.leaves(tree))
    assert sizes(state) == sizes(state_of_few)
    for path, leaf in flat(expected).items():
        np.testing.assert_allclose(flat(after)[path], leaf, rtol=1e-6)
    bits = lambda tree, path: flat(tree)[path].view(np.int32)
    for path in frozen:
        np.testing.assert_array_equal(bits(after, path), bits(whole, path))


def test_a_setting_that_the_rule_does_not_know_is_refused():
    for name, settings, said in (
        (
            "adam",
            {"weight_decay": 0.1},
            "weight_decay must be left out when optimizer.name is adam",
        ),
        ("sgd", {"b1": 0.5}, "b1 must be left out when optimizer.name is sgd"),
        ("adam", {"momentum": 0.5}, "momentum must be left out when optimizer.name is adam"),
        ("lion", {"eps": 1e-3}, "eps must be left out when optimizer.name is lion"),
        ("sgd", {"nesterov": True}, "nesterov must be left out without optimizer.momentum"),
        ("adamw", {"decayed": "all"}, "decayed must be left out without optimizer.weight_decay"),
        ("adam", {"nonmonotone": 3}, "nonmonotone must be left out when optimizer.name is adam"),
        (
            "nt_asgd",
            {"average_decay": 0.9},
            "average_decay must be 0 when optimizer.name is nt_asgd",
        ),
        ("adam", {"power": 3.0}, "power must be left out when optimizer.schedule is inverse_sqrt"),
        ("adam", {"floor": 0.1}, "floor must be left out when optimizer.schedule is inverse_sqrt"),
        (
            "adam",
            {"factor": 0.1},
            "factor must be left out when optimizer.schedule is inverse_sqrt",
        ),
        ("adam", {"factor": 1.0}, r"factor must be in \(0, 1\), got 1.0"),
        ("adam", {"accumulate": 0}, "accumulate must be at least 1, got 0"),
    ):
        with pytest.raises(ValueError, match=f"optimizer.{said}"):
            OptimizerConfig(name=name, **settings)
