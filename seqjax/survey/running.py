"""Everything there is to say about a running text, in the order in which it is told."""

from collections.abc import Mapping

import numpy as np

from seqjax.config import DataConfig
from seqjax.data.vocabulary import TokenKind
from seqjax.survey.corpus import Split
from seqjax.survey.finding import Finding, Section, Survey, percent, shown
from seqjax.survey.form import form_table, line_ends, unusable_lines
from seqjax.survey.lengths import BARS, quantiles, sparkline
from seqjax.survey.repeats import long_stretches, repeated_lines, shared_lines
from seqjax.survey.symbols import named, symbol_numbers, vocabulary_size
from seqjax.survey.tokens import Side, cut_side
from seqjax.survey.writing import (
    broken_texts,
    foreign_texts,
    normal_form,
    special_marks,
    unseen_characters,
)

TOP = 12


def cut_text(splits: Mapping[str, Split], kind: TokenKind, subword_vocab: int) -> Side:
    """Returns the lines of all splits in tokens; each line ends with the token of its line feed."""
    lines = {name: [f"{line}\n" for line in split.targets] for name, split in splits.items()}
    return cut_side("text_words" if kind == "words" else kind, lines, subword_vocab=subword_vocab)


def survey_text(splits: Mapping[str, Split], data: DataConfig) -> Survey:
    """Looks at a running text.

    Args:
      splits: `train`, and `valid` and `test` where they are given, in this order.
      data: What a token is, and how often it must occur.
    """
    side = cut_text(splits, data.target_tokens, data.subword_vocab)
    form, symbols = form_table(splits), _symbols(splits, side, data.min_count)
    sections = [
        form._replace(
            findings=[
                unusable_lines(splits, skipped=False),
                line_ends(splits),
                normal_form(splits),
                unseen_characters(splits),
                broken_texts(splits),
                special_marks(splits),
                foreign_texts(splits),
            ]
        ),
        Section(
            "Splits and repetition",
            (),
            [*shared_lines(splits), repeated_lines(splits), *long_stretches(splits)],
        ),
        symbols._replace(findings=unknown_tokens(splits, side, data.min_count)),
        Section("Task", (), [unigram_answers(side, data.min_count)]),
    ]
    sizes = {"text": vocabulary_size(side, data.min_count)}
    return Survey("language-model", {"text": data.target_tokens}, sections, sizes)


def unknown_tokens(splits: Mapping[str, Split], side: Side, least: int) -> list[Finding]:
    """Returns, for valid and test, the share of tokens that the vocabulary of train lacks."""
    known = side.counts("train") >= least
    findings = []
    for name, split in splits.items():
        if name == "train" or side.kind == "subwords":
            continue
        rows = side.rows[name]
        hit = ~known[rows.values]
        tokens, whole = int(hit.sum()), len(rows.values)
        lines = dict(zip(rows.row_of[hit].tolist(), rows.values[hit].tolist(), strict=True))
        places = [
            split.place(row)._replace(
                text=f"{named(side.types[token])}   in   {shown(split.targets[row], 50)}"
            )
            for row, token in lines.items()
        ]
        often = f"at least {least} times" if least > 1 else "at all"
        findings.append(
            Finding(
                "SJ-D33",
                "warning" if tokens > 0.1 * whole else "info" if tokens else "ok",
                f"{percent(tokens, whole)} of {name} tokens do not occur {often} in train"
                if tokens
                else f"every {name} token occurs {often} in train",
                tokens,
                places,
                numbers={"split": name, "share": tokens / whole, "min_count": least},
            )
        )
    return findings


def unigram_answers(side: Side, least: int) -> Finding:
    """Returns the perplexity of a model that only knows how frequent tokens are.

    Its probabilities are those of train, where rarer tokens than `least` are one, the unknown one.
    An unknown token that train has not at all is given the weight of one occurrence.
    """
    counts = side.counts("train").astype(float)
    kept = counts >= least
    unknown = max(counts[~kept].sum(), 1.0)
    logs = np.log(np.where(kept, counts, unknown) / (counts[kept].sum() + unknown))
    nats = {name: float(-logs[rows.values].mean()) for name, rows in side.rows.items()}
    told = ", ".join(f"{value:.2f} on {name}" for name, value in nats.items())
    name = next((name for name in ("valid", "test") if name in nats), "train")
    return Finding(
        "SJ-D20",
        "info",
        f"frequencies alone give {told} nats a token, a perplexity of {np.exp(nats[name]):,.0f} "
        f"on {name}",
        mend="a model must be below",
        numbers={"nats_per_token": nats},
    )


def _symbols(splits: Mapping[str, Split], side: Side, least: int) -> Section:
    table, numbers = [], {}
    for name, split in splits.items():
        tokens = len(side.rows[name].values)
        size = sum(len(line.encode("utf-8", "surrogatepass")) + 1 for line in split.targets)
        lengths = side.rows[name].lengths
        found = quantiles(lengths)
        values = "  ".join(f"{word} {value:,}" for word, value in found.items())
        drawn = f"   {sparkline(lengths, BARS)}" if name == "train" else ""
        table.append(f"{name:<6} {tokens:>10,} tokens, {tokens / size:.3f} a byte")
        table.append(f"{'':<6} a line: {values}{drawn}")
        numbers[name] = {"tokens": tokens, "bytes": size, "line": found}
    numbers["symbols"] = symbol_numbers(side, least)
    counts = side.counts("train")
    order = np.argsort(-counts, kind="stable")[:TOP].tolist()
    shares = " ".join(
        f"{named(side.types[n])} {100 * counts[n] / counts.sum():.1f}%" for n in order
    )
    once, types, kept = (numbers["symbols"][key] for key in ("once", "types", "kept"))
    cut = f", {kept:,} occur {least} times or more" if least > 1 else ""
    table.append(
        f"types  {types:,} {side.kind.removeprefix('text_')}: {once:,} occur once "
        f"({percent(once, types)}){cut}; {numbers['symbols']['entropy_bits']:.2f} bits each"
    )
    table.append(f"       {shares}")
    return Section("Symbols", table, (), numbers)
