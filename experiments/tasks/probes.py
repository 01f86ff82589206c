"""What features of trained networks are good for, without training these any further."""

from typing import NamedTuple


class Probed(NamedTuple):
    """One probe; the fields are those of `Measured`."""

    data: str
    model: str
    metrics: dict[str, str]


_SST = "SST-2, sentences only"
PROBES = {
    "probe-sentiment": Probed(
        _SST,
        "frozen outputs of the network `sentiment`, their maximum; logistic regression",
        {"accuracy": ""},
    ),
}
