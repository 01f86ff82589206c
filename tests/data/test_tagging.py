import itertools

import numpy as np
import pytest

from seqjax.data.tagging import allowed_transitions

NAMES = {
    "bio": ["O", "B-x", "I-x", "B-y", "I-y"],
    "iob": ["O", "B-x", "I-x", "B-y", "I-y"],
    "bioes": ["O", "B-x", "I-x", "E-x", "S-x", "B-y", "E-y"],
}


def written(spans, length, scheme):
    """Tags of spans `(start, end, type)`, as the scheme writes them."""
    tags, previous = ["O"] * length, (None, None)
    for start, end, kind in spans:
        letters = ["I"] * (end - start)
        if scheme == "bio" or (scheme == "iob" and previous == (start, kind)):
            letters[0] = "B"
        elif scheme == "bioes":
            letters[0], letters[-1] = "B", "E"
            if len(letters) == 1:
                letters = ["S"]
        tags[start:end] = [f"{letter}-{kind}" for letter in letters]
        previous = (end, kind)
    return tuple(tags)


def every_set_of_spans(length, start=0):
    if start == length:
        yield []
        return
    for rest in every_set_of_spans(length, start + 1):
        yield rest
    for end in range(start + 1, length + 1):
        for kind in ("x", "y"):
            for rest in every_set_of_spans(length, end):
                yield [(start, end, kind), *rest]


@pytest.mark.parametrize("scheme", sorted(NAMES))
def test_what_is_allowed_is_what_spans_are_written_as_and_nothing_else(scheme):
    names = NAMES[scheme]
    allowed = allowed_transitions(names, scheme)
    for length in (1, 2, 3):
        possible = {written(spans, length, scheme) for spans in every_set_of_spans(length)}
        possible = {tags for tags in possible if set(tags) <= set(names)}
        got = {
            tuple(names[tag] for tag in tags)
            for tags in itertools.product(range(len(names)), repeat=length)
            if allowed.start[tags[0]]
            and allowed.end[tags[-1]]
            and all(allowed.between[pair] for pair in itertools.pairwise(tags))
        }
        assert got == possible


def test_tags_without_types_are_of_one_type():
    allowed = allowed_transitions(["O", "B", "I"], "bio")
    np.testing.assert_array_equal(allowed.start, [True, True, False])
    np.testing.assert_array_equal(allowed.between, [[1, 1, 0], [1, 1, 1], [1, 1, 1]])


@pytest.mark.parametrize(
    ("tag", "scheme"), (("E-x", "bio"), ("O-x", "bio"), ("x", "iob"), ("", "bio"), ("BI-x", "bio"))
)
def test_a_name_of_another_scheme_is_refused(tag, scheme):
    with pytest.raises(ValueError, match="tags must be"):
        allowed_transitions(["O", tag], scheme)
