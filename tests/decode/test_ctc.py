"""Greedy paths, alignments and prefix beams against every path there is."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from decode.chains import BOS, EOS, SYMBOLS, answers, start, step_fn_of, tables_of
from oracles import search
from oracles.paths import best_alignment, collapsed, every_labelling, log_softmax

from seqjax import decode
from seqjax.types import Padded

VOCAB, TIME, PAD = 3, 5, 9
LENGTHS = (5, 4, 2, 0)
ALL = 2**6  # more than there are prefixes of two labels


def batch_of(seed, *, scale=1.5, fill=0.0):
    rng = np.random.default_rng(seed)
    log_probs = np.full((len(LENGTHS), TIME, VOCAB), fill, np.float32)
    for row, length in enumerate(LENGTHS):
        logits = scale * rng.normal(size=(TIME, VOCAB))
        log_probs[row, :length] = log_softmax(logits)[:length]
    return jnp.asarray(log_probs), jnp.asarray(LENGTHS)


@functools.partial(jax.jit, static_argnames=("blank_id", "width", "n_best", "max_length"))
def beam_of(log_probs, lengths, *, blank_id=0, width=ALL, n_best=None, max_length=TIME):
    return decode.ctc_beam(
        log_probs,
        lengths,
        blank_id=blank_id,
        pad_id=PAD,
        width=width,
        n_best=n_best or width,
        max_length=max_length,
    )


greedy_of = jax.jit(decode.ctc_greedy, static_argnames=("blank_id", "pad_id"))
alignment_of = jax.jit(decode.ctc_alignment, static_argnames="blank_id")


def rows_of(batch):
    log_probs, lengths = batch
    return [np.float64(row[:length]) for row, length in zip(log_probs, lengths, strict=True)]


@pytest.mark.parametrize("blank", (0, pytest.param(2, marks=pytest.mark.slow)))
def test_a_beam_that_holds_every_prefix_is_exhaustive_search(blank):
    for seed in range(5):
        batch = batch_of(seed)
        found = beam_of(*batch, blank_id=blank)
        for row, log_probs in enumerate(rows_of(batch)):
            total = every_labelling(log_probs, blank)
            got = answers(found, row)
            assert {tokens for tokens, *_ in got} == set(total)
            assert len(got) == len(total)
            ranks = [total[tokens] for tokens, *_ in got]
            np.testing.assert_allclose([value for _, value, *_ in got], ranks, rtol=1e-5, atol=1e-6)
            assert np.all(np.diff(ranks) < 1e-6)
            assert all(score == value and finished for _, value, score, finished in got)


@pytest.mark.parametrize("width", (pytest.param(1, marks=pytest.mark.slow), 4))
def test_a_small_beam_is_the_algorithm_and_finds_at_most_the_truth(width):
    for seed in range(5):
        batch = batch_of(seed, scale=0.7)
        found = beam_of(*batch, width=width)
        for row, log_probs in enumerate(rows_of(batch)):
            total = every_labelling(log_probs, 0)
            got = answers(found, row)
            wanted = prefix_beam(log_probs, width)
            assert [tokens for tokens, *_ in got] == [tokens for tokens, _ in wanted]
            values = [value for _, value, *_ in got]
            np.testing.assert_allclose(values, [v for _, v in wanted], rtol=1e-5, atol=1e-6)
            assert all(value <= total[tokens] + 1e-5 for tokens, value, *_ in got)


def prefix_beam(log_probs, width, blank=0, gain=lambda tokens: 0.0):
    """Algorithm 1 of Hannun et al. with dictionaries; `gain` is what a language model adds."""
    add = np.logaddexp
    alive = {(): (0.0, -np.inf)}
    for frame in log_probs:
        new = {}

        def put(tokens, blank_part, label_part, new=new):
            old = new.get(tokens, (-np.inf, -np.inf))
            new[tokens] = (add(old[0], blank_part), add(old[1], label_part))

        for tokens, (ends_blank, ends_label) in alive.items():
            total = add(ends_blank, ends_label)
            put(tokens, total + frame[blank], -np.inf)
            if tokens:
                put(tokens, -np.inf, ends_label + frame[tokens[-1]])
            for token in set(range(len(frame))) - {blank}:
                begins = ends_blank if tokens[-1:] == (token,) else total
                put((*tokens, token), -np.inf, begins + frame[token])
        best = sorted(new.items(), key=lambda item: -add(*item[1]) - gain(item[0]))
        alive = {k: v for k, v in best[:width] if add(*v) > -np.inf}
    return [(tokens, add(*value)) for tokens, value in alive.items()]


def test_a_prefix_that_was_dropped_and_comes_back_is_joined_with_what_grew_from_it():
    returned = 0
    for seed in range(5, 45):
        batch = batch_of(seed, scale=0.7)
        found = beam_of(*batch, width=4)
        for row, log_probs in enumerate(rows_of(batch)):
            steps = [set(dict(prefix_beam(log_probs[:n], 4))) for n in range(len(log_probs) + 1)]
            returned += any(
                (prefix in steps[n + 1]) and any(prefix == child[:-1] for child in steps[n])
                for n in range(len(log_probs))
                for prefix in set.union(*steps[: n + 1]) - steps[n]
            )
            got, wanted = answers(found, row), prefix_beam(log_probs, 4)
            assert [tokens for tokens, *_ in got] == [tokens for tokens, _ in wanted]
            np.testing.assert_allclose([v for _, v, *_ in got], [v for _, v in wanted], rtol=1e-5)
    assert returned


@pytest.mark.parametrize("blank", (0, pytest.param(2, marks=pytest.mark.slow)))
def test_greedy_is_the_likeliest_path_collapsed(blank):
    for seed in range(5):
        batch = batch_of(seed)
        found = greedy_of(*batch, blank_id=blank, pad_id=PAD)
        for row, log_probs in enumerate(rows_of(batch)):
            path = np.argmax(log_probs, axis=1).tolist()
            ((tokens, value, score, finished),) = answers(found, row)
            assert tokens == collapsed(path, blank)
            np.testing.assert_allclose(value, np.sum(log_probs.max(axis=1)), rtol=1e-5)
            assert score == value and finished
            np.testing.assert_array_equal(found.tokens[row, 0, len(tokens) :], PAD)


def test_where_every_frame_is_sure_beam_and_greedy_agree():
    log_probs, lengths = batch_of(0, scale=40.0)
    greedy = greedy_of(log_probs, lengths, blank_id=0, pad_id=PAD)
    beam = beam_of(log_probs, lengths, width=4)
    np.testing.assert_array_equal(beam.tokens[:, :1], greedy.tokens)
    np.testing.assert_array_equal(beam.lengths[:, :1], greedy.lengths)
    assert np.all(beam.log_probs[:, :1] >= greedy.log_probs - 1e-6)


def test_padding_and_batch_mates_change_nothing():
    log_probs, lengths = batch_of(1)
    noisy, _ = batch_of(1, fill=np.nan)
    for one, more in (
        (beam_of(log_probs, lengths, width=4), beam_of(noisy, lengths, width=4)),
        (
            greedy_of(log_probs, lengths, blank_id=0, pad_id=PAD),
            greedy_of(noisy, lengths, blank_id=0, pad_id=PAD),
        ),
    ):
        for got, wanted in zip(more, one, strict=True):
            np.testing.assert_array_equal(got, wanted)
    turned = beam_of(log_probs[::-1], lengths[::-1], width=4)
    for got, wanted in zip(turned, beam_of(log_probs, lengths, width=4), strict=True):
        np.testing.assert_array_equal(got[::-1], wanted)


@pytest.mark.slow
def test_answers_are_never_longer_than_there_is_room_for():
    batch = batch_of(2)
    found = beam_of(*batch, max_length=2)
    for row, log_probs in enumerate(rows_of(batch)):
        total = every_labelling(log_probs, 0)
        got = {tokens: value for tokens, value, *_ in answers(found, row)}
        assert set(got) == {tokens for tokens in total if len(tokens) <= 2}
        for tokens, value in got.items():
            np.testing.assert_allclose(value, total[tokens], rtol=1e-5, atol=1e-6)


def test_what_is_forbidden_is_not_said_and_nothing_at_all_is_no_answer():
    """Prefixes die and come back where frames forbid much."""
    rng = np.random.default_rng(3)
    for seed in range(8):
        log_probs, lengths = batch_of(seed)
        spoilt = np.where(rng.random(log_probs.shape) < 0.4, -np.inf, log_probs)
        spoilt[0, 1] = -np.inf
        spoilt[1, :, 2] = -np.inf
        given = np.where((spoilt == -np.inf) & (rng.random(spoilt.shape) < 0.5), np.nan, spoilt)
        batch = jnp.asarray(given), lengths
        found, narrow = beam_of(*batch), beam_of(*batch, width=4)
        greedy = greedy_of(*batch, blank_id=0, pad_id=PAD)
        for row, each in enumerate(rows_of((spoilt, lengths))):
            total = every_labelling(each, 0)
            got = {tokens: value for tokens, value, *_ in answers(found, row)}
            assert set(got) == set(total)
            for tokens, value in got.items():
                np.testing.assert_allclose(value, total[tokens], rtol=1e-5, atol=1e-6)
            wanted = prefix_beam(each, 4)
            assert [tokens for tokens, *_ in answers(narrow, row)] == [t for t, _ in wanted]
        for result in (found, narrow, greedy):
            assert not answers(result, 0)
            np.testing.assert_array_equal(result.tokens[0], PAD)
            assert not result.finished[0].any()
        assert not (greedy.tokens[1] == 2).any()


# The chain has four tokens, EOS = PAD = 0, BOS = 1; labels 1 and 2 are its tokens 2 and 3.
IDS = jnp.array([0, 2, 3])


@functools.partial(jax.jit, static_argnames="width")
def listening(log_probs, lengths, tables, rewards, *, weight, width=ALL):
    language = decode.Language(
        step_fn=step_fn_of(tables),
        state=start(log_probs.shape[0]),
        weight=weight,
        rewards=rewards,
        symbols=SYMBOLS,
        ids=IDS,
    )
    return decode.ctc_beam(
        log_probs,
        lengths,
        blank_id=0,
        pad_id=PAD,
        width=width,
        n_best=width,
        max_length=TIME,
        language=language,
    )


def language_score(chain, labels, *, ends=True):
    """The chain's log-probability of labels and EOS; it depends on the token before the last."""
    said = [int(IDS[label]) for label in labels]
    each = [
        search.log_softmax(chain.logits(tuple(said[:place]), BOS))[token]
        for place, token in enumerate((*said, EOS) if ends else said)
    ]
    return float(np.sum(each))


REWARDS = np.array([0.0, 0.4, -0.3], np.float32)


def test_a_language_model_has_its_say_for_every_label_and_the_end():
    batch = batch_of(4)
    chains = [search.Chain(seed, 4) for seed in range(len(LENGTHS))]
    for weight in (0.0, 0.8):
        found = listening(*batch, tables_of(chains), jnp.asarray(REWARDS), weight=weight)
        for row, log_probs in enumerate(rows_of(batch)):
            total = every_labelling(log_probs, 0)
            got = answers(found, row)
            assert {tokens for tokens, *_ in got} == set(total)
            for tokens, value, score, _ in got:
                wanted = total[tokens] + weight * language_score(chains[row], tokens)
                wanted += sum(REWARDS[token] for token in tokens)
                np.testing.assert_allclose(value, total[tokens], rtol=1e-5, atol=1e-6)
                np.testing.assert_allclose(score, wanted, rtol=1e-5, atol=1e-5)
            assert np.all(np.diff([score for *_, score, _ in got]) <= 0)


def test_a_small_beam_listens_while_it_searches():
    batch = batch_of(5, scale=0.3)
    chains = [search.Chain(seed, 4) for seed in range(10, 10 + len(LENGTHS))]
    found = listening(*batch, tables_of(chains), jnp.asarray(REWARDS), weight=2.0, width=3)
    for row, (log_probs, chain) in enumerate(zip(rows_of(batch), chains, strict=True)):

        def gain(labels, *, ends=False, chain=chain):
            reward = sum(REWARDS[token] for token in labels)
            return reward + 2.0 * language_score(chain, labels, ends=ends)

        wanted = [
            (tokens, value, value + gain(tokens, ends=True))
            for tokens, value in prefix_beam(log_probs, 3, gain=gain)
        ]
        wanted.sort(key=lambda item: -item[2])
        got = answers(found, row)
        assert [tokens for tokens, *_ in got] == [tokens for tokens, *_ in wanted]
        for (_, value, score, _), (_, log_prob, rank) in zip(got, wanted, strict=True):
            np.testing.assert_allclose((value, score), (log_prob, rank), rtol=1e-5, atol=1e-5)


def test_what_a_language_model_forbids_is_not_said():
    batch = batch_of(6)
    chains = [search.Chain(seed, 4) for seed in range(len(LENGTHS))]
    tables = tables_of(chains).at[:, :, :, 3].set(-jnp.inf)
    found = listening(*batch, tables, jnp.zeros(3), weight=1.0)
    unheard = listening(*batch, tables, jnp.zeros(3), weight=0.0)
    for row, log_probs in enumerate(rows_of(batch)):
        every = set(every_labelling(log_probs, 0))
        wanted = {tokens for tokens in every if 2 not in tokens}
        assert {tokens for tokens, *_ in answers(found, row)} == wanted
        assert {tokens for tokens, *_ in answers(unheard, row)} == every


@pytest.mark.parametrize("blank", (0, pytest.param(2, marks=pytest.mark.slow)))
def test_an_alignment_is_the_likeliest_path_that_says_the_labels(blank):
    one, other = (label for label in range(VOCAB) if label != blank)
    said = ((one, other), (one, one), (other,), ())
    values = np.full((4, 3), 7)
    for row, labels in enumerate(said):
        values[row, : len(labels)] = labels
    targets = Padded(jnp.asarray(values), jnp.array([len(labels) for labels in said]))
    for seed in range(5):
        batch = batch_of(seed, fill=np.nan)
        found = alignment_of(*batch, targets, blank_id=blank)
        for row, log_probs in enumerate(rows_of(batch)):
            value, path = best_alignment(log_probs, said[row], blank)
            places = np.asarray(found.places[row])
            got = [blank if place < 0 else said[row][place] for place in places]
            assert tuple(got[: LENGTHS[row]]) == path
            assert np.all(places[LENGTHS[row] :] == -1)
            spoken = places[places >= 0]
            assert sorted(set(spoken.tolist())) == list(range(len(said[row])))
            assert np.all(np.diff(spoken) >= 0)
            np.testing.assert_allclose(found.log_probs[row], value, rtol=1e-5, atol=1e-6)


def test_labels_that_do_not_fit_have_no_alignment():
    targets = Padded(jnp.full((4, 3), 1), jnp.array([3, 3, 2, 1]))
    found = alignment_of(*batch_of(0), targets, blank_id=0)
    assert (np.asarray(found.log_probs) > -np.inf).tolist() == [True, False, False, False]
    np.testing.assert_array_equal(found.places[1:], -1)


def test_sizes_that_do_not_fit_are_refused():
    for settings in ({"width": 2, "n_best": 3}, {"width": 0}, {"max_length": 0}):
        with pytest.raises(ValueError, match="must be"):
            beam_of(*batch_of(0), **settings)
