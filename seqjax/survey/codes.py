"""What the checks of the data are named. A code never changes its meaning; see `seqjax explain`."""

from seqjax.errors import InputError
from seqjax.survey.codes_of_pairs import OF_PAIRS
from seqjax.survey.codes_of_tasks import OF_TASKS

FIXABLE = (
    *("SJ-D01", "SJ-D02", "SJ-D03", "SJ-D04", "SJ-D05", "SJ-D06", "SJ-D10", "SJ-D11", "SJ-D12"),
    *("SJ-D14", "SJ-D15", "SJ-D16", "SJ-D17", "SJ-D26", "SJ-D27", "SJ-D30", "SJ-D31", "SJ-D37"),
)
"""What `--fix` can mend."""

CODES = (*OF_PAIRS, *OF_TASKS)
"""All of them, in order."""

BY_NAME = {entry.code: entry for entry in CODES}


def named_codes(flag: str, text: str | None, known: tuple[str, ...] = tuple(BY_NAME)) -> list[str]:
    """Returns the codes of a list with commas, each once; lower case and a lost `SJ-` are forgiven.

    Raises:
      InputError: If one is not known.

    >>> named_codes("ignore", "SJ-D02,d05")
    ['SJ-D02', 'SJ-D05']
    """
    found = []
    for word in (text or "").replace(" ", ",").split(","):
        if not word:
            continue
        code = word.upper() if word.upper().startswith("SJ-") else f"SJ-{word.upper()}"
        if code not in BY_NAME:
            raise InputError(f"--{flag}: no finding is named {word}; seqjax explain lists them")
        if code not in known:
            raise InputError(
                f"--{flag}: {code} cannot be mended by itself; see seqjax explain {code}"
            )
        found.append(code)
    return list(dict.fromkeys(found))
