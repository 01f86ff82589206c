"""What is asked of XLA on a GPU, and that it is asked in time."""

import subprocess
import sys

from seqjax.train.exactness import EXACT, ask_for_exactness, exactness_line


def test_xla_is_asked_once_and_what_was_set_is_kept():
    environment = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    for _ in range(2):
        ask_for_exactness(environment)
        expected = f"{EXACT} --xla_force_host_platform_device_count=2"
        assert environment == {"XLA_FLAGS": expected}
    ask_for_exactness(empty := {})
    assert empty == {"XLA_FLAGS": EXACT}


def test_a_gpu_is_told_its_cost_and_others_that_nothing_is_needed():
    assert "slower" in exactness_line("gpu")
    assert "without being asked for" in exactness_line("cpu")


def test_it_is_asked_before_jax_is_imported_and_jax_understands():
    program = (
        "import os, sys\n"
        "from seqjax.cli import main\n"
        "class Stop(Exception): pass\n"
        "class Finder:\n"
        "    def find_spec(self, name, *rest):\n"
        "        if name == 'jax': raise Stop\n"
        "sys.meta_path.insert(0, Finder())\n"
        "try: main.main(['train', '--preset', 'dates', '--deterministic'])\n"
        "except Stop: print(os.environ['XLA_FLAGS'])\n"
        "sys.meta_path.pop(0)\n"
        "import jax; print(jax.jit(lambda x: x + 1)(1))\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.split("\n")[0].split()[0] == EXACT, done.stderr
    assert done.stdout.split("\n")[1] == "2", done.stderr
