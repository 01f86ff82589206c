"""Findings whose counts are known by hand, and those that must not be there."""

import collections
import itertools
import random

import numpy as np
import pytest
from survey.made import CHARS, WORDS, findings, found, splits, where, write

from seqjax.config import Config, DataConfig
from seqjax.data.embedded.strings import make_pairs
from seqjax.survey.ambiguity import answers_of, ceiling
from seqjax.survey.leakage import rows_in_both, rows_in_conflict
from seqjax.survey.lengths import sparkline
from seqjax.survey.order import crossings
from seqjax.survey.pairs import survey_pairs
from seqjax.survey.suspects import looped_rows, off_ratio
from seqjax.survey.tokens import Ragged, cut_side
from seqjax.tasks.choose import build_task

TRAIN = ["ab|x y", "cd|z", "cd|w", "ab|x y", "ef|x"]
VALID = ["ab|x y", "cd|z", "gh|q"]
TEST = ["ef|x", "ab|z", "gh|q"]


def test_pairs_in_two_splits_are_counted_by_hand():
    corpus = splits(TRAIN, VALID, TEST)
    for code, kind, places in (
        ("SJ-D02", "error", [("test.tsv", 1)]),
        ("SJ-D03", "warning", [("valid.tsv", 1), ("valid.tsv", 2)]),
        ("SJ-D26", "error", [("test.tsv", 3)]),
        ("SJ-D05", "warning", [("test.tsv", 2)]),
    ):
        finding = found(corpus, code)
        assert (finding.kind, finding.count, where(finding)) == (kind, len(places), places)


@pytest.mark.parametrize("seed", range(5))
def test_leaks_are_those_of_a_loop(seed):
    generator = random.Random(seed)

    def some(name, count):
        pairs = [f"{generator.choice('abcd')}|{generator.choice('xyz')}" for _ in range(count)]
        return splits(pairs)["train"]._replace(name=name)

    train, other = some("train", 6), some("test", 12)
    both = [list(zip(side.sources, side.targets, strict=True)) for side in (train, other)]
    wanted = [row for row, pair in enumerate(both[1]) if any(pair == known for known in both[0])]
    assert rows_in_both(other, train) == wanted
    conflicts = [
        row
        for row, (source, target) in enumerate(both[1])
        if any(source == known for known, _ in both[0]) and (source, target) not in both[0]
    ]
    assert rows_in_conflict(other, train) == conflicts


def test_training_says_so_if_it_is_judged_by_what_it_has_seen(tmp_path):
    write(tmp_path / "train.tsv", "a\tx\nb\ty\nb\ty\n")
    train, data = (str(tmp_path / "train.tsv"),), DataConfig(buckets=1)
    for content, warned in (("b\ty\nb\ty\na\ty\n", "2 of 3 valid pairs (66.7 %)"), ("b\tx\n", "")):
        valid = (write(tmp_path / "valid.tsv", content),)
        summary = build_task(Config(train=train, valid=valid, data=data)).data().summary
        (line,) = [line for line in summary if "SJ-D03" in line] or [""]
        assert warned in line and bool(warned) == bool(line)


def test_one_split_leaks_nowhere():
    codes = {finding.code for finding in survey_pairs(splits(TRAIN), CHARS).findings}
    assert not codes & {"SJ-D02", "SJ-D03", "SJ-D04", "SJ-D05", "SJ-D09", "SJ-D24", "SJ-D25"}


def test_the_ceiling_is_what_the_best_answer_comes_to():
    finding = found(splits(TRAIN), "SJ-D13")
    # Of ab, cd, ef only cd has two targets; whoever says one of them is right about 4 of 5 pairs.
    assert finding.numbers["train"]["ceiling"] == 0.8
    assert (finding.count, where(finding)) == (1, [("train.tsv", 2)])


@pytest.mark.parametrize("seed", range(5))
def test_no_table_of_answers_beats_the_ceiling_and_one_reaches_it(seed):
    generator = random.Random(seed)
    pairs = [(generator.choice("ab"), generator.choice("xyz")) for _ in range(9)]
    sources, targets = zip(*pairs, strict=True)
    known = sorted(set(sources))
    best = max(
        sum(dict(zip(known, table, strict=True))[source] == target for source, target in pairs)
        for table in itertools.product("xyz", repeat=len(known))
    )
    assert ceiling(answers_of(sources, targets)).right == best


def test_repeated_pairs_are_counted_after_the_first():
    finding = found(splits(TRAIN), "SJ-D14")
    assert (finding.count, where(finding)) == (1, [("train.tsv", 4)])
    assert found(splits(["a|b", "a|c"]), "SJ-D14").kind == "ok"


def test_a_pair_far_too_long_is_suspect_and_a_task_of_any_ratio_is_not():
    usual = [f"{'s' * n}|{'t' * n}" for n in range(2, 30)]
    finding = found(splits([*usual, f"abc|{'t' * 40}"]), "SJ-D06")
    assert where(finding) == [("train.tsv", len(usual) + 1)]
    any_ratio = [f"{'s' * 5}|{'t' * n}" for n in range(2, 60)]
    assert found(splits(any_ratio), "SJ-D06").kind == "ok"


def test_far_off_means_by_a_factor_and_by_tokens():
    usual = (np.full(50, 10), np.full(50, 10))
    sources = np.array([10, 10, 10, 1, 30, 10, 0, 0])
    targets = np.array([33, 31, 2, 5, 9, 10, 4, 5])
    rows, median, factor = off_ratio(sources, targets, usual)
    # 34/11 > 3 at row 0; 32/11 < 3; 3/11 < 1/3 at row 2; 6/2 is no more than 3; 10/31 < 1/3 at 4.
    # At 6 it is a factor of 5, but only four tokens.
    assert (rows.tolist(), median, factor) == ([0, 2, 4, 7], 1.0, pytest.approx(3.0))


def test_copies_count_and_are_no_fault_of_a_task_of_single_words():
    sentences = [f"this is line {n}|das ist zeile {n}" for n in range(40)]
    copied = found(splits([*sentences, "not translated|not translated"]), "SJ-D15", WORDS)
    assert (copied.kind, where(copied)) == ("warning", [("train.tsv", 41)])
    assert found(splits(["sheep|sheep", "cat|cats"]), "SJ-D15").kind == "info"


def naive_loops(rows):
    def looped(row):
        return any(
            row[start : start + period] * 4 == row[start : start + 4 * period]
            for period in (1, 2, 3)
            for start in range(len(row) - 4 * period + 1)
        )

    return [number for number, row in enumerate(rows) if looped(row)]


@pytest.mark.parametrize("seed", range(6))
def test_loops_are_those_of_a_loop(seed):
    generator = random.Random(seed)
    rows = [generator.choices("ab", k=generator.randint(0, 14)) for _ in range(60)]
    side = cut_side("chars", {"train": ["".join(row) for row in rows]})
    wanted = naive_loops(rows)
    assert 5 < len(wanted) < 55
    assert looped_rows(side.rows["train"]).tolist() == wanted


def test_another_script_is_found_and_a_mixture_is_none():
    latin = [f"word{n}|слово" for n in range(30)]
    partly = "wordя|слово"  # most of its letters are of its side's script
    finding = found(splits([*latin, "слово|слово", "word|word", partly]), "SJ-D17")
    assert where(finding) == [("train.tsv", 31), ("train.tsv", 32)]
    mixed = [f"{text}|x" for text in ("один", "two", "τρία", "four")]
    assert found(splits(mixed), "SJ-D17").kind == "ok"


def test_lengths_are_counted_in_tokens():
    corpus = splits(["a b c|x", "a|x y", "a b|x"], valid=["a b c d|x", "a|x y z"])
    survey = survey_pairs(corpus, WORDS)
    lengths = next(s for s in survey.sections if s.title.startswith("Lengths")).numbers
    assert lengths["train"]["source"] == {
        "min": 1,
        "median": 2,
        "p95": 3,
        "p99": 3,
        "max": 3,
        "mean": 2.0,
    }
    (longer,) = findings(survey, "SJ-D25")
    assert longer.kind == "warning"
    assert dict(longer.numbers) == {
        "train_source": 0,
        "valid_source": 1,
        "train_target": 0,
        "valid_target": 1,
    }
    limits = DataConfig(source_tokens="words", target_tokens="words", max_source=2, max_target=1)
    cut = found(corpus, "SJ-D08", limits)
    assert (cut.count, cut.numbers["source"], cut.numbers["target"]) == (3, 1, 1)
    assert "1 valid pairs" in cut.says and "would be read up to 2 source" in cut.says


def test_a_histogram_has_a_bar_for_every_length_that_is_there():
    assert sparkline(np.array([3, 3, 3])) == "█"
    assert sparkline(np.array([1] * 1000 + [9])) == "█       ▁"


def test_symbols_that_training_never_shows_are_told_with_their_lines():
    corpus = splits(["ab|xx"] * 60 + ["ab|y"], valid=["ab|xé", "ç|y"])
    survey = survey_pairs(corpus, CHARS)
    source, target = findings(survey, "SJ-D09")
    assert (target.kind, where(target)) == ("error", [("valid.tsv", 1)])
    assert target.numbers["valid"]["symbols"] == {"é": 1}
    assert (source.kind, where(source)) == ("warning", [("valid.tsv", 2)])
    (rare,) = findings(survey, "SJ-D07")
    assert (rare.numbers["symbols"], where(rare)) == ({"y": 1}, [("train.tsv", 61)])


def test_a_lexicon_has_unknown_words_by_nature():
    train = [f"w{n} a a a a a a a a a|v{n}" for n in range(600)]
    survey = survey_pairs(splits(train, valid=["a " * 30 + "new|v1 v2"]), WORDS)
    source, _ = findings(survey, "SJ-D09")
    assert (source.kind, source.numbers["valid"]["tokens"]) == ("info", 1)


def order_of(pairs):
    sides = [cut_side("words", {"train": side}) for side in zip(*pairs, strict=True)]
    found = crossings(*(side.rows["train"] for side in sides))
    return found.links, found.crossed / found.compared


@pytest.mark.parametrize("name, share", [("copy", 0.0), ("reverse", 1.0), ("shuffle", 0.5)])
def test_crossing_links_tell_the_order(name, share):
    generator = random.Random(0)
    pairs = []
    for _ in range(600):
        words = generator.choices([f"w{n}" for n in range(9)], k=generator.randint(2, 8))
        said = [f"v{word}" for word in words]
        if name == "reverse":
            said.reverse()
        if name == "shuffle":
            generator.shuffle(said)
        pairs.append((" ".join(words), " ".join(said)))
    links, crossed = order_of(pairs)
    assert links > 1000
    assert crossed == pytest.approx(share, abs=0.03 if name == "shuffle" else 0)


def test_copied_tokens_are_those_of_a_loop():
    generator = random.Random(1)
    pairs = [
        [" ".join(generator.choices("abcdef", k=generator.randint(1, 5))) for _ in range(2)]
        for _ in range(50)
    ]
    corpus = splits(["a b|c d"], valid=["|".join(pair) for pair in pairs])
    finding = found(corpus, "SJ-D23", WORDS)
    tokens = [(token, source.split()) for source, target in pairs for token in target.split()]
    unknown = [(token, source) for token, source in tokens if token not in "cd"]
    assert finding.numbers["share"] == pytest.approx(np.mean([t in s for t, s in tokens]))
    assert finding.numbers["unknown"] == len(unknown)
    assert finding.numbers["unknown_in_source"] == sum(t in s for t, s in unknown)


def test_answers_without_a_model_are_counted_by_hand():
    corpus = splits(["a|x", "a|x", "b|y", "c|z", "a|y"], valid=["a|x", "b|x", "y|y", "b|y"])
    finding = found(corpus, "SJ-D20")
    exact = finding.numbers["exact_match"]
    # Most frequent: x (it comes before y in the alphabet). Looked up: a -> x, b -> y, else x.
    assert exact == {"majority": 0.5, "copy": 0.25, "lookup": 0.5}
    assert finding.numbers["sources_in_train"] == 3
    assert finding.kind == "warning"


def test_the_batch_plan_is_the_one_that_training_makes():
    data = DataConfig(embedded="reverse", examples=300, batch_size=16, buckets=3)
    built = build_task(Config(data=data)).data()
    train = make_pairs("reverse", examples=300, min_length=1, max_length=20, seed=0).train
    corpus = splits([f"{source}|{target}" for source, target in zip(*train[:2], strict=True)])
    finding = found(corpus, "SJ-D21", data)
    assert finding.numbers["shapes"] == built.statistics["shapes"]
    assert finding.numbers["padding_share"] == pytest.approx(
        built.statistics["padding_share"], abs=1e-4
    )
    assert finding.numbers["batches"] == built.feed.batches_per_epoch


def test_tokens_that_do_not_suit_are_told():
    words = [f"word{n}|form{n}" for n in range(200)]
    assert found(splits(words), "SJ-D19", WORDS).kind == "warning"
    assert found(splits(words), "SJ-D19", CHARS).kind == "ok"
    phones = [f"w|{' '.join(random.Random(n).choices(['AA', 'B', 'K'], k=6))}" for n in range(99)]
    finding = found(splits(phones), "SJ-D19", CHARS)
    assert "target-tokens words" in finding.says


def test_few_examples_are_known_to_be_few():
    corpus = splits(["a|b"], valid=["c|d"] * 100, test=["e|f"] * 400)
    finding = found(corpus, "SJ-D24")
    assert finding.kind == "warning"
    # 1.96 * sqrt(0.25 / 100), in points
    assert finding.numbers == {"valid": pytest.approx(9.8), "test": pytest.approx(4.9)}


@pytest.mark.parametrize(
    "code, text, count",
    [
        ("SJ-D10", "cafe\u0301", 1),
        ("SJ-D12", "a\u200bb", 1),
        ("SJ-D12", " ab", 1),
        ("SJ-D12", "a\u00a0b", 1),
        ("SJ-D12", "می\u200cخواهم", 0),
        ("SJ-D27", "cafÃ©", 1),
        ("SJ-D27", "caf\ufffd", 1),
        ("SJ-D27", "café", 0),
        ("SJ-D28", "a <unk> b", 1),
        ("SJ-D28", "a < b", 0),
        ("SJ-D28", "Tom &amp; Jerry", 1),
    ],
)
def test_how_texts_are_written(code, text, count):
    for pair in (f"{text}|b", f"b|{text}"):
        finding = found(splits(["a|b", pair]), code)
        assert where(finding) == [("train.tsv", 2)] * count
        assert (finding.kind == "ok") == (count == 0)


def test_normalising_tells_how_many_characters_merge():
    finding = found(splits(["e\u0301|é", "o\u0301|x"]), "SJ-D10")
    # The accent alone and é are two; normalised, é and ó are two as well.
    assert (finding.count, finding.numbers["characters"], finding.numbers["normalised"]) == (
        2,
        2,
        2,
    )


def test_every_token_is_numbered_the_same_in_all_splits():
    texts = {"train": ["ab", "", "ba"], "valid": ["cb"]}
    side = cut_side("chars", texts)
    for name, rows in side.rows.items():
        assert isinstance(rows, Ragged)
        again = ["".join(side.types[n] for n in rows.row(row)) for row in range(len(texts[name]))]
        assert again == texts[name]
    counted = collections.Counter("abba")
    assert {side.types[n]: c for n, c in enumerate(side.counts("train")) if c} == counted
