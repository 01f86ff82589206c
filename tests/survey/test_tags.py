"""Tags: every fault is planted alone, and a clean set of files has none of them."""

import itertools
import random

import pytest
from survey.made import CHARS, WORDS, findings, split, splits, where

from seqjax.config import DataConfig
from seqjax.data.tagging import allowed_transitions
from seqjax.errors import InputError
from seqjax.survey.schemes import broken_rows
from seqjax.survey.tagged import survey_tagged
from seqjax.survey.tags import evenly_tagged, guess_tagged
from seqjax.survey.tokens import cut_sides

OF_TAGS = ("SJ-D34", "SJ-D35", "SJ-D36", "SJ-D37", "SJ-D38")
CLEAN = [
    *(f"in Rome {n}|O B-city O" for n in range(20)),
    *(f"to New York {n}|O B-city I-city O" for n in range(20)),
]


def found(corpus, code, data=WORDS, scheme=None):
    (finding,) = findings(survey_tagged(corpus, data, scheme), code)
    return finding


def test_clean_files_have_no_fault_of_tags():
    survey = survey_tagged(splits(CLEAN, CLEAN[10:30]), WORDS, None)
    kinds = {code: {f.kind for f in findings(survey, code)} for code in OF_TAGS}
    assert kinds == dict.fromkeys(OF_TAGS, {"ok"})
    (section,) = [each for each in survey.sections if each.title == "Tags"]
    assert section.numbers["train"] == {"O": 80, "B-city": 40, "I-city": 20}
    assert survey.sizes["target"] == 3


def test_lines_of_another_number_of_tags_cannot_be_used():
    given = split("train", "a b|X Y", "a b|X", "a b c|X Y Z", "a|X Y")
    even = evenly_tagged(given, "words")
    assert even.numbers == [1, 3]
    assert [(line.place.line, line.why) for line in even.bad] == [
        (2, "has fewer tags than words"),
        (4, "has more tags than words"),
    ]
    finding = found({"train": even}, "SJ-D01")
    assert (finding.kind, where(finding)) == ("error", [("train.tsv", 2), ("train.tsv", 4)])
    with pytest.raises(InputError, match=r"no line of it has as many tags as words; line 2 has"):
        evenly_tagged(given.kept([1, 3]), "words")


def test_what_a_tag_belongs_to_is_guessed():
    assert guess_tagged(split("train", "ab|X Y", "a b|X Y Z", "a bc|X Y")) == "chars"
    assert guess_tagged(split("train", "ab|X", "a b|X Y", "abc|X Y Z")) == "words"


def test_tags_that_training_has_not_or_hardly_has():
    corpus = splits(CLEAN, [*CLEAN, "at sea|O B-place"])
    unseen = found(corpus, "SJ-D34")
    assert (unseen.kind, where(unseen)) == ("error", [("valid.tsv", 41)])
    assert unseen.numbers == {"valid": {"B-place": 1}}
    rare = found(splits([*CLEAN, "at sea|O B-place"]), "SJ-D35")
    assert (rare.numbers, where(rare)) == ({"B-place": 1}, [("train.tsv", 41)])


def test_tags_that_differ_in_case_alone_are_one():
    finding = found(splits([*CLEAN, "at Bath|O b-city"]), "SJ-D37")
    assert (finding.numbers["usual"], where(finding)) == (
        {"b-city": "B-city"},
        [("train.tsv", 41)],
    )


@pytest.mark.parametrize(
    "sequence, says",
    [
        ("O I-city", "I-city after O"),
        ("I-city O", "I-city at the beginning"),
        ("B-city I-name", "I-name after B-city"),
    ],
)
def test_a_sequence_that_breaks_the_scheme_is_told_with_its_place(sequence, says):
    finding = found(splits([*CLEAN, "x y|B-name I-name", f"a b|{sequence}"]), "SJ-D38")
    assert (finding.kind, finding.numbers["scheme"]) == ("warning", "bio")
    assert where(finding) == [("train.tsv", 42)]
    assert finding.places[0].text.startswith(says)


@pytest.mark.parametrize(
    "scheme, train",
    [
        ("bio", CLEAN),
        ("iob", ["a b|I-x I-x", "a b c|I-x B-x I-x", "a|O"] * 5),
        ("bioes", ["a b|B-x E-x", "a b c|S-x S-x O", "a b c|B-x I-x E-x"] * 5),
        (None, ["a b|NOUN VERB", "a|ADJ-x"] * 5),
        (None, ["a b|O I-x", "a b|B-x E-x"] * 5),  # open spans in half of them
    ],
)
def test_the_scheme_is_the_one_that_sequences_keep(scheme, train):
    finding = found(splits(train), "SJ-D38")
    assert (finding.kind, finding.numbers["scheme"]) == ("ok", scheme)


def test_a_scheme_that_is_given_is_held_against_the_tags():
    finding = found(splits(CLEAN), "SJ-D38", scheme="iob")
    assert finding.numbers == {"scheme": "iob", "train": 40}
    assert found(splits(["a|NOUN"]), "SJ-D38", scheme="bio").numbers["train"] == 1


@pytest.mark.parametrize("scheme", ["bio", "bioes", "iob"])
def test_breaks_are_those_of_a_loop(scheme):
    tags = [f"{letter}-{kind}" for letter in "BI" for kind in "xy"] + ["O"]
    tags += ["E-x", "S-x"] * (scheme == "bioes") + ["NOUN"]
    generator = random.Random(0)
    rows = [generator.choices(tags, k=generator.randint(1, 4)) for _ in range(200)]
    known = tags[:-1]
    allowed = allowed_transitions(known, scheme)

    def is_broken(row):
        if "NOUN" in row:
            return True
        at = [known.index(tag) for tag in row]
        steps = all(allowed.between[pair] for pair in itertools.pairwise(at))
        return not (allowed.start[at[0]] and steps and allowed.end[at[-1]])

    side = cut_sides(splits([f"x|{' '.join(row)}" for row in rows]), {"target": "tags"}, 0)
    wanted = [number for number, row in enumerate(rows) if is_broken(row)]
    assert broken_rows(side["target"], "train", scheme).tolist() == wanted
    assert 20 < len(wanted) < 200


def test_the_bound_of_single_tokens_and_the_table_that_reaches_it():
    train = ["a b|X Y", "a a|X Y", "b c|Y Z"]
    valid = ["a b|Y Y", "c d|Z X", "b|Y"]
    survey = survey_tagged(splits(train, valid), WORDS, None)
    (bound,) = findings(survey, "SJ-D39")
    # Of train, a is X twice and Y once; b and c have one tag.
    assert (bound.count, bound.numbers["train"]["ceiling"]) == (1, 5 / 6)
    assert findings(survey_tagged(splits(["a b|X Y"]), WORDS, None), "SJ-D39")[0].kind == "ok"
    (answers,) = findings(survey, "SJ-D20")
    # Most frequent is Y (3 of 6). Table: a X, b Y, c Z, else Y: wrong about a and d of valid.
    assert answers.numbers["majority"]["accuracy"] == pytest.approx(3 / 5)
    assert answers.numbers["usual"]["accuracy"] == pytest.approx(3 / 5)
    assert answers.numbers["usual"]["exact_match"] == pytest.approx(1 / 3)
    assert (answers.numbers["new_tokens"], answers.kind) == (1, "info")
    certain = survey_tagged(splits(train, ["b|Y", "c|Z"]), WORDS, None)
    assert findings(certain, "SJ-D20")[0].kind == "warning"


def test_tags_have_a_limit_of_their_own():
    """Training leaves a line out whose tags are too many, however long its text may be."""
    limits = DataConfig(source_tokens="words", max_source=9, max_target=2, buckets=1)
    finding = found(splits(["a b c|X Y Z", "a b|X Y"], ["a b c|X Y Z"]), "SJ-D08", limits)
    assert (where(finding), finding.mend) == ([("train.tsv", 1)], "--data.max-target 3 keeps all")


def test_lines_that_are_not_learnt_are_tagged_to_their_end():
    limits = DataConfig(source_tokens="words", max_source=2, max_target=9, buckets=1)
    finding = found(splits(["a b c|X Y Z", "a b|X Y"], ["a b c|X Y Z"]), "SJ-D08", limits)
    assert where(finding) == [("train.tsv", 1)] and "read up to" not in finding.says


def test_tags_of_characters_are_looked_at_by_character():
    corpus = splits(["ab|X Y", "a b|X O Y"], ["b|Y"])
    (answers,) = findings(survey_tagged(corpus, CHARS, None), "SJ-D20")
    assert answers.numbers["usual"]["accuracy"] == 1.0
    assert found(corpus, "SJ-D21", CHARS).numbers["shapes"][0][:2] == [3, 3]
