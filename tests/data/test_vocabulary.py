import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seqjax.data.vocabulary import Vocabulary
from seqjax.errors import InputError

TEXTS = ["the cat sat on the mat", "the dog sat on the log", "a cat and a dog", "</s> <pad> <unk>"]
KINDS = ("chars", "words", "subwords", "text_words")


def build(kind, **settings):
    return Vocabulary.build(TEXTS, kind, **{"subword_vocab": 40, **settings})


@pytest.mark.parametrize("kind", KINDS)
def test_known_text_comes_back(kind):
    vocabulary = build(kind)
    for text in TEXTS:
        assert vocabulary.decode(vocabulary.encode(text)) == text


@settings(deadline=None, max_examples=200)
@given(st.text(st.characters(exclude_categories=("Cs",)), max_size=20))
def test_any_text_comes_back_from_its_own_characters(text):
    vocabulary = Vocabulary.build([text + "x"], "chars")
    assert vocabulary.decode(vocabulary.encode(text)) == text


@pytest.mark.parametrize("kind", KINDS)
def test_no_text_reaches_a_special_symbol(kind):
    vocabulary = build(kind)
    ids = vocabulary.encode("</s> <s> <pad> <unk> \N{SNOWMAN}")
    specials = {vocabulary.pad_id, vocabulary.bos_id, vocabulary.eos_id}
    assert not specials & set(ids)
    assert vocabulary.unk_id in ids


def test_decoding_stops_at_eos_and_marks_the_unknown():
    words, chars = build("words"), build("chars")
    cat = words.encode("cat")[0]
    assert words.decode([words.bos_id, cat, words.unk_id, words.eos_id, cat]) == "cat <unk>"
    assert chars.decode([chars.unk_id]) == "\N{REPLACEMENT CHARACTER}"


def test_tokens_are_ordered_by_count_then_by_name_and_cut_by_count():
    assert build("words", min_count=2).tokens == ("the", "a", "cat", "dog", "on", "sat")
    with pytest.raises(InputError, match="--data.min-count"):
        build("words", min_count=99)


def test_lines_of_a_running_text_survive():
    vocabulary = Vocabulary.build(["a b\n\nc d"], "text_words")
    assert vocabulary.cut("a b\n\nc") == ["a", "b", "\n", "\n", "c"]
    assert vocabulary.decode(vocabulary.encode("a b\n\nc\n")) == "a b\n\nc\n"


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_saved_is_what_is_loaded(tmp_path, kind):
    vocabulary = build(kind)
    vocabulary.save(tmp_path, "source")
    loaded = Vocabulary.load(tmp_path, "source")
    assert loaded.fingerprint() == vocabulary.fingerprint()
    assert [loaded.encode(text) for text in TEXTS] == [vocabulary.encode(text) for text in TEXTS]


@pytest.mark.parametrize(
    ("change", "message"),
    (
        ({"tokens": []}, "no tokens"),
        ({"tokens": ["a", "a"]}, "twice"),
        ({"tokens": ["a", 3]}, "3 is no token"),
        ({"tokens": ["a", ""]}, "is no token"),
        ({"kind": "pickle"}, "unknown kind"),
        ({"format_version": 9}, "format_version must be 1"),
        ({"more": 1}, "its fields must be"),
        ({"tokens": ["a", "b"]}, "changed since it was written"),
    ),
)
def test_a_vocabulary_that_was_tampered_with_is_refused(tmp_path, change, message):
    build("words").save(tmp_path, "source")
    path = tmp_path / "source.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(InputError, match=f"source.json: .*{message}"):
        Vocabulary.load(tmp_path, "source")


def test_a_missing_or_broken_vocabulary_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"source\.json: cannot be read"):
        Vocabulary.load(tmp_path, "source")
    (tmp_path / "source.json").write_text("{")
    with pytest.raises(InputError, match=r"source\.json: not a vocabulary"):
        Vocabulary.load(tmp_path, "source")
    build("subwords").save(tmp_path, "target")
    (tmp_path / "target.spm").write_bytes(b"no model")
    with pytest.raises(InputError, match=r"target\.json"):
        Vocabulary.load(tmp_path, "target")
