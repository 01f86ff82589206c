"""How much samples of a language model repeat themselves, beside real text of the same length.

    python -m experiments.samples shakespeare-samples RUN TEXT

TEXT is a file that the model has not seen. Prompts are every so many characters of it, and the real
text is what follows them there. Tokens are what stands between blanks, for models of characters,
too. The rows go to `results/`.
"""

import argparse
import dataclasses
import datetime
import statistics
from pathlib import Path

from experiments.rows import RESULTS, append_rows, commit
from seqjax.metrics.health import distinct_n, rep_within, seq_rep_n
from seqjax.runs.trained import load_network
from seqjax.types import sum_means

TEMPERATURES = (0.5, 0.8, 1.0)
PROMPTS, PROMPT, LENGTH = 40, 100, 500
"""How many, and characters of a prompt and of what follows."""
COLUMNS = ("text", "distinct-1", "distinct-2", "rep-4", "rep/32", "date", "commit")


def row(text: str, answers: list[str]) -> dict[str, str]:
    """Returns how much some texts repeat, in words."""
    words = [answer.split() for answer in answers]
    shares = {
        "distinct-1": distinct_n(words, 1),
        "distinct-2": distinct_n(words, 2),
        "rep-4": statistics.fmean(seq_rep_n(answer, 4) for answer in words),
        "rep/32": sum_means(rep_within(answer, 32) for answer in words).value(),
    }
    when = {"date": datetime.date.today().isoformat(), "commit": commit()}
    return {"text": text, **{name: f"{value:.3f}" for name, value in shares.items()}, **when}


def measured(run: str, text: str) -> list[dict[str, str]]:
    """Returns the rows of real text, and of samples at each temperature."""
    trained = load_network(run)
    places = [len(text) * number // PROMPTS for number in range(PROMPTS)]
    prompts = [text[place : place + PROMPT] for place in places]
    rows = [row("real", [text[place + PROMPT :][:LENGTH] for place in places])]
    for temperature in TEMPERATURES:
        search = dataclasses.replace(
            trained.config.decode, method="sample", temperature=temperature, max_length=LENGTH
        )
        found = trained.continuer(search)(trained.params, prompts)
        rows.append(row(f"temperature {temperature}", [answers[0].text for answers in found]))
    return rows


def main() -> None:
    """Reads the command line; see the module."""
    parser = argparse.ArgumentParser(description="Measures how much samples repeat themselves.")
    parser.add_argument("name", help="of the file of rows")
    parser.add_argument("run", help="run directory of a language model")
    parser.add_argument("text", type=Path, help="text that it has not seen")
    arguments = parser.parse_args()
    rows = measured(arguments.run, arguments.text.read_text(encoding="utf-8"))
    append_rows(RESULTS / f"{arguments.name}.csv", COLUMNS, rows)
    print(*rows, sep="\n")


if __name__ == "__main__":
    main()
