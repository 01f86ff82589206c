"""A run that starts from another one's weights, token by token."""

import dataclasses

import jax
import numpy as np
import pytest
from build.handmade import LANGUAGE, config_of, run_of, weights, words

from seqjax.build.transfer import build_start, started
from seqjax.errors import InputError
from seqjax.train.paths import flat


def begin(path, config, parts=(), **texts):
    """Weights before and after, and what is said."""
    config = dataclasses.replace(config, start_from=str(path), start_from_parts=parts)
    plain = dataclasses.replace(config, start_from=None, start_from_parts=())
    learner, params = weights(plain, tuple(texts.items()), 2)
    start = build_start(config, params, words(**texts), learner.tables)
    return flat(params), flat(jax.device_get(started(params, start))), start.lines


@pytest.mark.parametrize("tied", (True, False), ids=("tied", "untied"))
def test_shared_tokens_take_their_rows_and_columns_and_new_ones_begin_anew(tmp_path, tied):
    config = config_of(tied=tied)
    there = run_of(tmp_path / "a", config, source="abcde", target="uvw")
    here, found, lines = begin(tmp_path / "a", config, source="edxcb", target="wzvyu")
    assert lines[1:] == (
        "start    4 of 5 source tokens are known there, 1 begin anew",
        "start    3 of 5 target tokens are known there, 2 begin anew",
    )
    # After the four specials. e d x c b were numbers 8 7 - 6 5 there, w z v y u 6 - 5 - 4.
    source = [0, 1, 2, 3, 8, 7, None, 6, 5]
    target = [0, 1, 2, 3, 6, None, 5, None, 4]
    axes = {"encoder/embedding/embedding": (source, 0), "decoder/embedding/embedding": (target, 0)}
    if tied:
        axes["decoder/output_bias"] = (target, 0)
    else:
        axes |= {"decoder/output_map/kernel": (target, 1), "decoder/output_map/bias": (target, 0)}
    for path, leaf in found.items():
        if path not in axes:
            np.testing.assert_array_equal(leaf, there[path], err_msg=path)
            continue
        numbers, axis = axes[path]
        for ours, theirs in enumerate(numbers):
            expected = here[path] if theirs is None else there[path]
            expected = np.take(expected, ours if theirs is None else theirs, axis)
            np.testing.assert_array_equal(np.take(leaf, ours, axis), expected, err_msg=path)


def test_a_language_model_starts_from_another(tmp_path):
    config = config_of(**LANGUAGE)
    there = run_of(tmp_path / "a", config, text="abc")
    here, found, lines = begin(tmp_path / "a", config, text="cd")
    assert lines[1] == "start    1 of 2 text tokens are known there, 1 begin anew"
    for path in ("embedding/embedding", "output_bias"):
        np.testing.assert_array_equal(found[path][:5], there[path][[0, 1, 2, 3, 6]])
        np.testing.assert_array_equal(found[path][5], here[path][5])


def test_only_the_parts_that_are_named_are_taken(tmp_path):
    there = run_of(tmp_path / "a", config_of(hidden_size=8), source="ab", target="uv")
    parts = ("encoder/embedding", "decoder/emb*")
    here, found, lines = begin(tmp_path / "a", config_of(), parts, source="ab", target="uv")
    taken = {path for path in found if np.array_equal(found[path], there[path])}
    assert taken == {"encoder/embedding/embedding", "decoder/embedding/embedding"}
    kept = {path for path in found if np.array_equal(found[path], here[path])}
    assert kept == set(found) - taken and lines[0].startswith("start    2 of")


@pytest.mark.parametrize(
    ("settings", "parts", "said"),
    (
        ({"hidden_size": 8}, (), r"decoder/bridge/layer_0/bias is \(12,\) there and \(16,\) here"),
        ({"tied": False}, (), "has no decoder/output_map/bias; choose the same --model settings"),
        ({}, ("encoder/embeding",), "'encoder/embeding' is none: encoder/embedding is near"),
        (LANGUAGE, (), "is a text-to-text run, and what is to be trained a language-model"),
    ),
)
def test_what_does_not_fit_is_refused_by_name(tmp_path, settings, parts, said):
    run_of(tmp_path / "a", config_of(), source="ab", target="uv")
    texts = {"text": "ab"} if "task" in settings else {"source": "ab", "target": "uv"}
    with pytest.raises(InputError, match=said):
        begin(tmp_path / "a", config_of(**settings), parts, **texts)
    with pytest.raises(ValueError, match="start_from_parts must be left out without start_from"):
        config_of(start_from_parts=("encoder",))
