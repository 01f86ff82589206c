"""`seqjax explain`: what the codes of findings and warnings mean."""

import textwrap

from seqjax.cli.flags import ExplainFlags
from seqjax.cli.reading import did_you_mean
from seqjax.codes import Code
from seqjax.errors import InputError
from seqjax.survey.codes import CODES as OF_DATA
from seqjax.watch.codes import CODES as OF_TRAINING

WIDTH = 100
KNOWN = {entry.code: entry for entry in (*OF_DATA, *OF_TRAINING)}


def run(flags: ExplainFlags) -> int:
    """Runs the command; see `main` for exit codes."""
    found = [find(word) for word in flags.codes]
    if found:
        print("\n\n".join(explained(entry) for entry in found))
    else:
        print("\n".join(f"{entry.code}  {entry.says}" for entry in KNOWN.values()))
    return 0


def find(word: str) -> Code:
    """Returns the code of that name; lower case and a lost `SJ-` are forgiven.

    Raises:
      InputError: If there is none.

    >>> find("d04").code
    'SJ-D04'
    """
    name = word.upper() if word.upper().startswith("SJ-") else f"SJ-{word.upper()}"
    if name not in KNOWN:
        hint = did_you_mean(name, {known: known for known in KNOWN})
        raise InputError(f"no code {word!r}{hint or '; seqjax explain lists them'}")
    return KNOWN[name]


def explained(entry: Code) -> str:
    """Returns the whole of a code as text of `WIDTH` columns."""
    parts = [f"{entry.code}  {entry.says}", *(_wrapped(text) for text in (entry.means, entry.mend))]
    return "\n\n".join(parts)


def _wrapped(text: str) -> str:
    return textwrap.fill(text, WIDTH, initial_indent="  ", subsequent_indent="  ")
