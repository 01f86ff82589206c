"""Labels: every fault is planted alone, and a clean set of files has none of them."""

import random

import numpy as np
import pytest
from survey.made import CHARS, WORDS, findings, split, splits, where

from seqjax.config import DataConfig
from seqjax.metrics.classification import confusion, macro_f1
from seqjax.survey.labelled import survey_labelled
from seqjax.survey.labels import label_findings, usual_spellings
from seqjax.survey.mixtures import LEAST_EXPECTED, apart, chi_square_tail
from seqjax.survey.tokens import cut_sides

OF_LABELS = ("SJ-D34", "SJ-D35", "SJ-D36", "SJ-D37")


def texts(name, counts):
    """As many texts as `counts` says for each label, no two of them alike or near each other."""
    labels = [label for label, count in counts.items() for _ in range(count)]
    return [f"{name} {n * 7919 % 100_003:x} {n:b}|{label}" for n, label in enumerate(labels)]


CLEAN = {"neg": 60, "pos": 40}
TRAIN = texts("t", CLEAN)


def found(corpus, code, data=WORDS):
    (finding,) = findings(survey_labelled(corpus, data), code)
    return finding


def kinds(survey):
    return {code: {f.kind for f in findings(survey, code)} for code in OF_LABELS}


def test_clean_files_have_no_fault_of_labels():
    survey = survey_labelled(splits(TRAIN, texts("v", CLEAN), texts("e", CLEAN)), WORDS)
    assert kinds(survey) == dict.fromkeys(OF_LABELS, {"ok"})
    assert {f.kind for f in survey.findings if f.code in ("SJ-D01", "SJ-D02", "SJ-D13")} == {"ok"}
    codes = {finding.code for finding in survey.findings}
    assert not codes & {"SJ-D06", "SJ-D07", "SJ-D15", "SJ-D16", "SJ-D22", "SJ-D23"}
    assert survey.sizes["target"] == 2


def test_the_table_counts_every_label_of_every_split():
    survey = survey_labelled(splits(TRAIN, texts("v", {"pos": 3})), WORDS)
    (section,) = [each for each in survey.sections if each.title == "Labels"]
    assert section.numbers == {"train": CLEAN, "valid": {"neg": 0, "pos": 3}}
    assert [line.split() for line in section.table[1:]] == [
        ["neg", "60", "60.0", "%", "0", "0", "%"],
        ["pos", "40", "40.0", "%", "3", "100", "%"],
    ]


def test_a_label_that_training_has_not_is_an_error():
    valid = texts("v", CLEAN | {"new": 2})
    finding = found(splits(TRAIN, valid), "SJ-D34")
    assert (finding.kind, finding.numbers) == ("error", {"valid": {"new": 2}})
    assert where(finding) == [("valid.tsv", 101), ("valid.tsv", 102)]
    assert findings(survey_labelled(splits(TRAIN), WORDS), "SJ-D34") == []


@pytest.mark.parametrize("count, kind", [(19, "warning"), (20, "ok")])
def test_a_label_with_fewer_than_twenty_examples_is_rare(count, kind):
    finding = found(splits([*TRAIN, *texts("more", {"odd": count})]), "SJ-D35")
    assert finding.kind == kind
    if kind == "warning":
        assert finding.numbers == {"odd": 19}
        assert where(finding) == [("train.tsv", row) for row in range(101, 120)]


@pytest.mark.parametrize(
    "valid, kind",
    [
        ({"neg": 60, "pos": 40}, "ok"),
        ({"neg": 4, "pos": 6}, "ok"),  # ten examples may well be so
        ({"neg": 20, "pos": 80}, "warning"),
        ({"neg": 0, "pos": 100}, "warning"),
    ],
)
def test_another_mixture_of_labels_is_told_with_its_numbers(valid, kind):
    finding = found(splits(TRAIN, texts("v", valid)), "SJ-D36")
    assert finding.kind == kind
    wanted = abs(valid["pos"] / sum(valid.values()) - 0.4)
    assert finding.numbers["distance"] == pytest.approx(wanted)
    if kind == "warning":
        assert "limit 0.001" in finding.says and "chi-square" in finding.says


def test_a_small_shift_that_is_no_chance_is_only_worth_knowing():
    corpus = splits(["t|a", "t|b"] * 30_000, ["t|a"] * 10_800 + ["t|b"] * 9_200)
    side = cut_sides(corpus, {"target": "label"}, 0)["target"]
    (finding,) = [f for f in label_findings(corpus, side, "label") if f.code == "SJ-D36"]
    assert finding.kind == "info"
    assert finding.numbers["distance"] == pytest.approx(0.04)
    assert finding.numbers["probability"] < 1e-10


def test_labels_that_differ_in_case_or_blanks_alone_are_one():
    odd = ["x 1|Pos", "y 2|pos ", "z 3|POS"]
    finding = found(splits([*TRAIN, *odd]), "SJ-D37")
    assert where(finding) == [("train.tsv", row) for row in (101, 102, 103)]
    assert finding.numbers["usual"] == {"Pos": "pos", "pos ": "pos", "POS": "pos"}
    assert found(splits([*TRAIN, "x 1|positive"]), "SJ-D37").kind == "ok"


def test_the_usual_spelling_is_that_of_training():
    corpus = splits(["a|B c", "b|b  c", "c|b  c"], ["d|B c", "e|B c", "f|B c"])
    side = cut_sides(corpus, {"target": "label"}, 0)["target"]
    assert usual_spellings(side) == {"B c": "b  c"}


def test_the_bound_is_on_accuracy():
    finding = found(splits(["same text|x", "same text|y", "other|x"]), "SJ-D13")
    assert "accuracy is at most 66.7 % on train" in finding.says
    assert "any target" not in finding.mend


def test_answers_without_a_model_are_those_of_a_loop():
    generator = random.Random(0)
    some = [
        [f"{generator.choice(letters)}|{generator.choice(labels)}" for _ in range(count)]
        for letters, labels, count in (("abcdefgh", "xyz", 60), ("abcdefghij", "xyzw", 30))
    ]
    finding = found(splits(*some), "SJ-D20", CHARS)
    train, valid = ([pair.split("|") for pair in pairs] for pairs in some)
    labels = [label for _, label in train]
    usual = max(sorted(set(labels)), key=labels.count)

    def lookup(text):
        seen = [label for source, label in train if source == text]
        return max(dict.fromkeys(seen), key=seen.count) if seen else usual

    wanted = [label for _, label in valid]
    for way, said in (
        ("majority", [usual] * len(valid)),
        ("lookup", [lookup(text) for text, _ in valid]),
    ):
        right = sum(a == b for a, b in zip(said, wanted, strict=True))
        assert finding.numbers["accuracy"][way] == right / 30
        table = confusion(said, wanted, sorted({*labels, *wanted}))
        assert finding.numbers["macro_f1"][way] == pytest.approx(macro_f1(table))
    assert finding.kind == "info"


def test_a_majority_that_is_nearly_always_right_is_a_warning():
    corpus = splits(TRAIN, texts("v", {"neg": 75, "pos": 25}))
    assert found(corpus, "SJ-D20").kind == "warning"
    assert found(splits(TRAIN, texts("v", {"neg": 74, "pos": 26})), "SJ-D20").kind == "info"


def test_long_texts_are_left_out_of_training_and_cut_elsewhere():
    limits = DataConfig(source_tokens="words", max_source=3, buckets=1)
    corpus = splits(["a b c d|x", "a|y"], ["a b c d e|x", "a b|y"])
    finding = found(corpus, "SJ-D08", limits)
    assert where(finding) == [("train.tsv", 1), ("valid.tsv", 1)]
    assert "1 train pairs" in finding.says and "1 valid pairs" in finding.says
    assert "--data.max-source 5" in finding.mend


def test_only_the_text_has_a_script():
    cyrillic = [f"слово {n}|класс" for n in range(30)]
    assert found(splits([*cyrillic, "слово|English"]), "SJ-D17").kind == "ok"
    finding = found(splits([*cyrillic, "word and more|класс"]), "SJ-D17")
    assert where(finding) == [("train.tsv", 31)]


def test_two_files_are_told_by_the_file_in_which_a_text_stands():
    two = split("train", *TRAIN)._replace(paths=("t.txt", "t.lab"))
    assert two.texts_of("source").place(1).path == "t.txt"
    assert two.texts_of("target").place(1) == ("t.lab", 2, "neg")


def naive_chi_square(ours, theirs):
    rows = [ours, theirs]
    whole = sum(map(sum, rows))
    total = 0.0
    for row in rows:
        for column, count in enumerate(row):
            expected = sum(row) * (ours[column] + theirs[column]) / whole
            total += (count - expected) ** 2 / expected
    return total


@pytest.mark.parametrize("seed", range(4))
def test_chi_square_is_that_of_scipy_and_of_a_loop(seed):
    stats = pytest.importorskip("scipy.stats")
    generator = np.random.default_rng(seed)
    table = generator.integers(30, 90, (2, 2 + seed))
    found = apart(*table)
    wanted = stats.chi2_contingency(table, correction=False)
    assert found.chi_square == pytest.approx(wanted.statistic)
    assert found.chi_square == pytest.approx(naive_chi_square(*table.tolist()))
    assert (found.degrees, found.probability) == (wanted.dof, pytest.approx(wanted.pvalue))


@pytest.mark.parametrize("degrees", [1, 2, 3, 4, 7, 30, 101])
def test_the_tail_of_chi_square_is_that_of_scipy(degrees):
    special = pytest.importorskip("scipy.special")
    for statistic in (0.0, 0.5, 1.0 * degrees, 3.0 * degrees, 40.0 + degrees):
        wanted = special.chdtrc(degrees, statistic)
        assert chi_square_tail(statistic, degrees) == pytest.approx(wanted, rel=1e-10)


def test_what_is_too_rare_to_be_compared_is_counted_together():
    # Of `c` and `d` five are to be expected in neither set; together they are.
    ours, theirs = np.array([50, 44, 3, 3]), np.array([60, 32, 4, 4])
    found = apart(ours, theirs)
    assert found.degrees == 2
    assert found.chi_square == pytest.approx(naive_chi_square([50, 44, 6], [60, 32, 8]))
    # Even together they are too few: they go with the rarest of the others.
    found = apart(np.array([50, 48, 1, 1]), np.array([60, 38, 1, 1]))
    assert found.chi_square == pytest.approx(naive_chi_square([50, 50], [60, 40]))
    assert LEAST_EXPECTED == 5 and apart(np.array([3, 1]), np.array([9, 9])).degrees == 0
