import platform
import subprocess
import sys

import pytest

FAULTS = """
import resource
import threading
import numpy as np
from seqjax.train.allocator import keep_freed_memory

if {kept}:
    assert keep_freed_memory()

def work():  # in a thread, as compiled programs are run: the C library has heaps for them
    for turn in range(12):
        if turn == 2:
            before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
        both = [np.ones(12_000_000, np.float32) for _ in range(2)]  # 48 MB each: more than a heap
        del both
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)

thread = threading.Thread(target=work)
thread.start()
thread.join()
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="other C libraries have no mallopt")
def test_pages_are_touched_for_the_first_time_once():
    faults = [
        int(
            subprocess.run(
                [sys.executable, "-c", FAULTS.format(kept=kept)],
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for kept in (False, True)
    ]
    assert faults[1] < 500 < 2_000 < faults[0]
