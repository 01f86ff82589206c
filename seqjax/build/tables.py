"""Which weights have an axis of tokens: embeddings and output layers, and where that axis is."""

from collections.abc import Mapping

Tables = Mapping[str, tuple[str, ...]]
"""The path to each vocabulary's embedding in the weights."""

TOKEN_AXES = {
    ("embedding", "embedding"): 0,
    ("output_map", "kernel"): 1,
    ("output_map", "bias"): 0,
    ("output_bias",): 0,
}
"""How the paths of weights with a vocabulary end, and which of their axes it is."""


def vocabulary_axis(path: tuple[str, ...]) -> int | None:
    """Returns which axis of a weight is a vocabulary, if one is.

    >>> vocabulary_axis(("decoder", "output_map", "kernel"))
    1
    """
    found = (axis for end, axis in TOKEN_AXES.items() if path[-len(end) :] == end)
    return next(found, None)


def vocabulary_of(path: tuple[str, ...], tables: Tables) -> str | None:
    """Returns whose vocabulary it is: that of the embedding in the same room of the model.

    >>> tables = {side: (side, "embedding", "embedding") for side in ("encoder", "decoder")}
    >>> vocabulary_of(("decoder", "output_bias"), tables)
    'decoder'
    """
    if vocabulary_axis(path) is None:
        return None
    rooms = {side: table[:-2] for side, table in tables.items()}
    return next((side for side, room in rooms.items() if path[: len(room)] == room), None)
