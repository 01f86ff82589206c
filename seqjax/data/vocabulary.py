"""Text into ids and back."""

import collections
import hashlib
import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, get_args

from seqjax.errors import InputError
from seqjax.files import parse_json, read_bytes, read_text

TokenKind = Literal["chars", "words", "subwords", "text_words", "label", "tags"]
"""`words` are what white space separates; `text_words` are words of a running text, in which every
line feed is a token of its own, as it is between the lines of subwords. A `label` is a whole text;
`tags` are what white space separates, and there are no others than those of training."""
CLOSED: tuple[TokenKind, ...] = ("label", "tags")
"""Kinds of which a text cannot hold an unknown one; they have no specials."""

SPECIALS = ("pad", "bos", "eos", "unk")
MOST_SUBWORD_TEXTS = 1_000_000
"""Lines that SentencePiece, which keeps them in memory, is trained on."""
UNKNOWN = {"chars": "\N{REPLACEMENT CHARACTER}"}


class Vocabulary:
    """The tokens of one side and their ids.

    The four specials have the first ids. No text is ever cut into one of them: a literal `</s>` in
    the data is text like any other. Labels and tags have no specials, and their ids begin at 0.

    Attributes:
      kind: What a token is.
      specials: How many ids come before that of the first token.
      tokens: The ordinary ones, in the order of their ids.
      ids: The same, with their ids.
    """

    pad_id, bos_id, eos_id, unk_id = range(4)

    def __init__(self, kind: TokenKind, tokens: Sequence[str], subword_model: bytes = b""):
        """Args:
        kind: What a token is.
        tokens: Distinct ordinary tokens.
        subword_model: A serialised SentencePiece model, for `subwords`.
        """
        self.kind: TokenKind = kind
        self.tokens = tuple(tokens)
        self._subword_model = subword_model
        self.specials = 0 if kind in CLOSED else len(SPECIALS)
        self.ids = {token: number for number, token in enumerate(tokens, start=self.specials)}
        self._pieces = _load_subwords(subword_model) if kind == "subwords" else None

    @classmethod
    def build(
        cls,
        texts: Iterable[str],
        kind: TokenKind,
        *,
        min_count: int = 1,
        subword_vocab: int = 8_000,
    ) -> "Vocabulary":
        """Returns the tokens that occur at least `min_count` times, the most frequent first.

        Args:
          texts: The training texts of one side; gone through twice for subwords.
          kind: What a token is.
          min_count: Rarer tokens will be unknown.
          subword_vocab: Size of a SentencePiece model; a small corpus gets a smaller one.

        Raises:
          InputError: If no token is left.
        """
        model = _train_subwords(_lines(texts), subword_vocab) if kind == "subwords" else b""
        cutter = cls(kind, (), model)
        counts = collections.Counter(token for text in texts for token in cutter.cut(text))
        kept = [token for token, count in counts.items() if count >= min_count]
        if not kept:
            raise InputError(
                f"no token occurs {min_count} times in the training data; lower --data.min-count"
            )
        return cls(kind, sorted(kept, key=lambda token: (-counts[token], token)), model)

    def __len__(self) -> int:
        return self.specials + len(self.tokens)

    def cut(self, text: str) -> list[str]:
        """Returns the tokens of a text, known or not."""
        match self.kind:
            case "chars":
                return list(text)
            case "label":
                return [text]
            case "words" | "tags":
                return text.split()
            case "text_words":
                lines = [line.split() for line in text.split("\n")]
                return [token for line in lines for token in (*line, "\n")][:-1]
            case "subwords":
                assert self._pieces is not None
                lines = [self._pieces.encode(line, out_type=str) for line in text.split("\n")]
                return [token for line in lines for token in (*line, "\n")][:-1]

    def encode(self, text: str) -> list[int]:
        """Returns the ids of a text, without BOS and EOS.

        Raises:
          KeyError: If one of its labels or tags is none of the vocabulary's.
        """
        if not self.specials:
            return [self.ids[token] for token in self.cut(text)]
        return [self.ids.get(token, self.unk_id) for token in self.cut(text)]

    def length(self, text: str) -> int:
        """Returns how many tokens a text has."""
        return len(self.cut(text))

    def unknown(self, text: str) -> str | None:
        """Returns the first token of a text that the vocabulary lacks, if there is one."""
        return next((token for token in self.cut(text) if token not in self.ids), None)

    def tokens_of(self, ids: Iterable[int], beyond: Sequence[str] = ()) -> list[str]:
        """Returns ordinary tokens up to the first EOS, for display; unknown ones are marked.

        Args:
          ids: Any but those that the vocabulary has no token for.
          beyond: Tokens whose ids follow those of the vocabulary.
        """
        if not self.specials:
            return [self.tokens[one] for one in ids]
        found = []
        for one in ids:
            if one == self.eos_id:
                break
            if one >= len(self):
                found.append(beyond[one - len(self)])
            elif one >= self.specials:
                found.append(self.tokens[one - self.specials])
            elif one == self.unk_id:
                found.append(UNKNOWN.get(self.kind, "<unk>"))
        return found

    def decode(self, ids: Iterable[int]) -> str:
        """Returns the text of ids up to the first EOS; PAD and BOS are left out."""
        return self.join(self.tokens_of(ids))

    def join(self, tokens: Sequence[str]) -> str:
        """Returns the text that tokens stand for."""
        match self.kind:
            case "chars" | "label":
                return "".join(tokens)
            case "words" | "tags":
                return " ".join(tokens)
            case "text_words":
                return re.sub(" ?\n ?", "\n", " ".join(tokens))
            case "subwords":
                text = "".join(tokens).replace("\N{LOWER ONE EIGHTH BLOCK}", " ")
                return "\n".join(line.removeprefix(" ") for line in text.split("\n"))

    def fingerprint(self) -> str:
        """Returns the SHA-256 of all that decides which ids a text has, in hexadecimal."""
        content = json.dumps([self.kind, self.tokens]).encode() + self._subword_model
        return hashlib.sha256(content).hexdigest()

    def save(self, directory: Path, name: str) -> None:
        """Writes `<name>.json`, and `<name>.spm` for subwords, into `directory`."""
        document = {
            "format_version": 1,
            "kind": self.kind,
            "fingerprint": self.fingerprint(),
            "tokens": self.tokens,
        }
        text = json.dumps(document, ensure_ascii=False, indent=0) + "\n"
        (directory / f"{name}.json").write_text(text, encoding="utf-8", newline="\n")
        if self.kind == "subwords":
            (directory / f"{name}.spm").write_bytes(self._subword_model)

    @classmethod
    def load(cls, directory: Path, name: str) -> "Vocabulary":
        """Reads what `save` wrote.

        Raises:
          InputError: With the file, if anything about it is not as `save` writes it.
        """
        path, model_path = directory / f"{name}.json", directory / f"{name}.spm"
        try:
            document = parse_json(read_text(path))
            _check_document(document)
            model = read_bytes(model_path) if document["kind"] == "subwords" else b""
            vocabulary = cls(document["kind"], document["tokens"], model)
        except OSError as error:
            reason = error.strerror or error
            raise InputError(f"{model_path}: cannot be read ({reason})") from None
        except (ValueError, RecursionError, RuntimeError) as error:
            raise InputError(f"{path}: not a vocabulary ({error}); restore the file") from None
        if vocabulary.fingerprint() != document["fingerprint"]:
            raise InputError(f"{path}: changed since it was written; restore the file")
        return vocabulary


def _check_document(document: Any) -> None:
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    expected = {"format_version", "kind", "fingerprint", "tokens"}
    if set(document) != expected:
        raise ValueError(f"its fields must be {sorted(expected)}")
    if document["format_version"] != 1:
        raise ValueError(f"format_version must be 1, got {document['format_version']!r}")
    if document["kind"] not in get_args(TokenKind):
        raise ValueError(f"unknown kind {document['kind']!r}")
    tokens = document["tokens"]
    if not isinstance(tokens, list) or not tokens:
        raise ValueError("it has no tokens")
    seen = set()
    for token in tokens:
        if not isinstance(token, str) or not token:
            raise ValueError(f"{token!r} is no token")
        if token in seen:
            raise ValueError(f"token {token!r} stands there twice")
        seen.add(token)


def _lines(texts: Iterable[str]) -> Iterator[str]:
    return (line for text in texts for line in text.removesuffix("\n").split("\n"))


def _train_subwords(texts: Iterator[str], vocab_size: int) -> bytes:
    """Trains on the first texts as they are; the same texts give the same model."""
    import sentencepiece

    model = io.BytesIO()
    try:
        sentencepiece.SentencePieceTrainer.train(
            sentence_iterator=itertools.islice(texts, MOST_SUBWORD_TEXTS),
            model_writer=model,
            vocab_size=vocab_size,
            hard_vocab_limit=False,
            character_coverage=1.0,
            normalization_rule_name="identity",
            num_threads=1,
            minloglevel=2,
        )
    except RuntimeError as error:
        reason = str(error).strip().splitlines()[-1]
        raise InputError(
            f"SentencePiece cannot make {vocab_size} subwords of this data ({reason}); "
            f"change --data.subword-vocab"
        ) from None
    return model.getvalue()


def _load_subwords(model: bytes) -> Any:
    import sentencepiece

    return sentencepiece.SentencePieceProcessor(model_proto=model)
