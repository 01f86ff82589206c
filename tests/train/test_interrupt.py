"""The first signal asks, a second Ctrl-C leaves, whatever the interpreter is doing."""

import os
import signal
import subprocess
import sys
import time

import pytest

from seqjax.train.interrupt import AskedToStop, Interrupted, Interrupts


@pytest.mark.parametrize("number", (signal.SIGINT, signal.SIGTERM))
def test_the_first_signal_asks_whoever_polls(number):
    before = signal.getsignal(number)
    with Interrupts() as interrupts, interrupts.polled():
        interrupts.poll()
        os.kill(os.getpid(), number)
        assert interrupts.requested
        with pytest.raises(Interrupted):
            interrupts.poll()
    assert signal.getsignal(number) is before


def test_where_nobody_polls_it_raises():
    with pytest.raises(AskedToStop), Interrupts():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(1)


BUSY = """
import ctypes, os, signal, sys, threading, time
from seqjax.train.interrupt import Interrupts
with Interrupts() as interrupts, interrupts.polled():
    def send():
        for number in map(int, sys.argv[1:]):
            os.kill(os.getpid(), number)
            time.sleep(0.3)
    threading.Thread(target=send).start()
    ctypes.CDLL(None).poll(None, 0, 2_000)  # the interpreter has no turn in here
    ctypes.CDLL(None).poll(None, 0, 2_000)
    print("asked" if interrupts.requested else "not asked")
"""


@pytest.mark.parametrize(
    ("signals", "code"),
    (
        ((signal.SIGTERM, signal.SIGTERM), 0),
        ((signal.SIGINT, signal.SIGINT), 130),
        ((signal.SIGTERM, signal.SIGINT), 130),
    ),
)
def test_a_second_ctrl_c_leaves_within_a_computation(signals, code):
    words = [sys.executable, "-c", BUSY, *(str(int(number)) for number in signals)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == code, done.stderr
    assert ("asked" in done.stdout) == (code == 0)
    assert ("what was saved before is whole" in done.stderr) == (code == 130)
