"""From a user's words to ids that a search must know."""

from collections.abc import Iterable

from seqjax.build.search import Rules
from seqjax.config import DecodeConfig
from seqjax.data.vocabulary import Vocabulary
from seqjax.decode.protocol import Symbols
from seqjax.errors import InputError

END = "EOS"
"""What stands for the end of an answer where a token is asked for."""


def build_rules(
    config: DecodeConfig,
    vocabulary: Vocabulary,
    *,
    may_be_unknown: bool = True,
    forbidden: Iterable[str] = (),
) -> Rules:
    """Returns the ids behind the tokens that `config` names.

    Args:
      config: Of the search.
      vocabulary: Of the answers.
      may_be_unknown: If False, the unknown token is never said, whatever `config.unknown` is.
      forbidden: Texts that must not occur in an answer.

    Raises:
      InputError: If a token is not in the vocabulary, or is both forced and forbidden.
    """
    symbols = Symbols(vocabulary.bos_id, vocabulary.eos_id, vocabulary.pad_id)
    never = [symbols.bos_id, symbols.pad_id]
    if config.unknown == "forbid" or not may_be_unknown:
        never.append(vocabulary.unk_id)
    phrases = []
    for text in forbidden:
        ids = vocabulary.encode(text)
        if not ids or vocabulary.unk_id in ids:
            continue  # cannot be said anyway
        never.extend(ids) if len(ids) == 1 else phrases.append(tuple(ids))
    rules = Rules(
        symbols,
        exempt=(symbols.eos_id, *(_id(vocabulary, "exempt", one) for one in config.exempt.split())),
        never=tuple(never),
        phrases=tuple(phrases),
        first=_forced(vocabulary, "first_token", config.first_token),
        last=_forced(vocabulary, "last_token", config.last_token),
    )
    for name in ("first", "last"):
        if getattr(rules, name) in rules.never:
            token = getattr(config, f"{name}_token")
            raise InputError(f"decode.{name}_token {token!r} is forbidden too; drop one of them")
    return rules


def _forced(vocabulary: Vocabulary, name: str, token: str | None) -> int | None:
    if token is None:
        return None
    if token == END and END not in vocabulary.ids:
        return vocabulary.eos_id
    return _id(vocabulary, name, token)


def _id(vocabulary: Vocabulary, name: str, token: str) -> int:
    if token not in vocabulary.ids:
        raise InputError(
            f"decode.{name} must name tokens of the vocabulary of answers (its {vocabulary.kind}), "
            f"got {token!r}"
        )
    return vocabulary.ids[token]
