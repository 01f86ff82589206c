"""Words of a user as ids that a search must know."""

import pytest

from seqjax.build.rules import build_rules
from seqjax.config import DecodeConfig
from seqjax.data.vocabulary import Vocabulary
from seqjax.errors import InputError

WORDS = Vocabulary("words", ("a", "b", "c"))
PAD, BOS, EOS, UNK, A, B, C = range(7)


def test_what_is_never_said():
    assert build_rules(DecodeConfig(), WORDS).never == (BOS, PAD)
    assert build_rules(DecodeConfig(unknown="forbid"), WORDS).never == (BOS, PAD, UNK)
    assert build_rules(DecodeConfig(), WORDS, may_be_unknown=False).never == (BOS, PAD, UNK)
    rules = build_rules(DecodeConfig(), WORDS, forbidden=("b", "a c", "a x", "zz"))
    assert rules.never == (BOS, PAD, B) and rules.phrases == ((A, C),)
    assert rules.forbids([C, B]) and rules.forbids([B, A, C]) and not rules.forbids([C, A])


def test_what_is_exempt_and_what_is_forced():
    config = DecodeConfig(exempt="a c", first_token="b", last_token="EOS")
    rules = build_rules(config, WORDS)
    assert rules.exempt == (EOS, A, C) and (rules.first, rules.last) == (B, EOS)
    own = Vocabulary("words", ("EOS",))
    assert build_rules(DecodeConfig(last_token="EOS"), own).last == 4  # a word like any other


@pytest.mark.parametrize(
    ("settings", "message"),
    (
        ({"exempt": "a x"}, "decode.exempt must name tokens .*, got 'x'"),
        ({"first_token": "x"}, "decode.first_token must name tokens .*, got 'x'"),
        ({"first_token": "c"}, "decode.first_token 'c' is forbidden too"),
        ({"last_token": "c"}, "decode.last_token 'c' is forbidden too"),
    ),
)
def test_words_that_cannot_be_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        build_rules(DecodeConfig(**settings), WORDS, forbidden=("c",))
