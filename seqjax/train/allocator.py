"""Memory that is freed after one step and needed again by the next stays with the process."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX, M_ARENA_MAX = -1, -2, -4, -8
"""Names and numbers of glibc's malloc.h; see `man 3 mallopt`."""
MOST_KEPT = 2**31 - 1
"""Bytes free at the top of the heap beyond which they are given back: the largest that fits."""


def keep_freed_memory() -> bool:
    """Tells the C library to keep large blocks that are freed; returns whether it understood.

    A compiled training step allocates its scratch space anew every time it runs. glibc takes blocks
    of that size from the operating system and gives them back, so that each step touches every page
    for the first time: a whole step of the `sentences` preset took 1.36 times as long on two cores
    (`benchmarks/allocator.py`). The setting is of the process; other C libraries ignore it, and an
    accelerator's memory is not concerned. Call it before the first step.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if mallopt is None:
        return False
    settings = (
        (M_MMAP_MAX, 0),  # no block of its own mapping, which would go back at once
        (M_ARENA_MAX, 1),  # one heap: those of threads are too small for large blocks
        (M_TRIM_THRESHOLD, MOST_KEPT),
        (M_TOP_PAD, 2**26),  # with less, small blocks soon stand in the way of large ones
    )
    understood = [mallopt(name, value) == 1 for name, value in settings]
    return all(understood)
