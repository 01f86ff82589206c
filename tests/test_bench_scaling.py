"""What a compiled program exchanges is read from its text, loops and groups included."""

import pytest

from benchmarks import scaling
from benchmarks.collectives import Collective, collectives
from benchmarks.timing import in_turn_processes

PROGRAM = """\
HloModule jit_step, num_partitions=4

%add (a: f32[], b: f32[]) -> f32[] {
  ROOT %sum = f32[] add(%a, %b)
}

%body (carry: (s32[], f32[8])) -> (s32[], f32[8]) {
  %small = f32[8]{0} all-reduce(%x), channel_id=1, replica_groups=[1,4]<=[4], to_apply=%add
  ROOT %next = (s32[], f32[8]{0}) tuple(%i, %small)
}

%condition (carry: (s32[], f32[8])) -> pred[] {
  ROOT %less = pred[] compare(%i, %n), direction=LT
}

%branch (x: f32[4]) -> f32[8] {
  ROOT %gathered = f32[8]{0} all-gather(%x), channel_id=4, replica_groups={{0,1},{2,3}}
}

ENTRY %main (p: f32[2,3]) -> f32[2,3] {
  %loop = (s32[], f32[8]{0}) while(%start), condition=%condition, body=%body, \
backend_config={"known_trip_count":{"n":"5"}}
  %whole = (f32[2,3]{1,0}, bf16[4]{0}) all-reduce(%p, %q), channel_id=2, \
replica_groups=[1,4]<=[4], to_apply=%add
  %either = f32[8]{0} conditional(%which, %x, %x), branch_computations={%branch, %nothing}
  ROOT %out = f32[2,3]{1,0} copy(%p)
}
"""


def test_collectives_are_counted_with_their_loops_and_groups():
    assert collectives(PROGRAM, 4) == [
        Collective("all-reduce", 4, 6, 5 * 8 * 4 + 6 * 4 + 4 * 2),
        Collective("all-gather", 2, 1, 32),
    ]


def test_a_loop_that_does_not_say_how_often_it_runs_is_refused():
    with pytest.raises(ValueError, match="loop must say how often it runs"):
        collectives(PROGRAM.replace("known_trip_count", "nothing"), 4)


def test_what_is_sent_is_that_of_a_ring():
    assert Collective("all-reduce", 4, 1, 400).moved == 600
    assert Collective("all-gather", 4, 1, 400).moved == 300
    assert Collective("reduce-scatter", 4, 1, 100).moved == 300
    assert Collective("all-reduce", 4, 10, 400).hops == 60


@pytest.mark.slow
def test_every_gradient_is_exchanged_once_and_nothing_is_gathered():
    """The language model ties its table to its output layer, whose two gradients go by themselves;
    no activation leaves its device, and none waits for another within the loop over time."""
    said = in_turn_processes("benchmarks.scaling_step", {"step": ("docs", 2, 1)}, 1)["step"][0]
    row = scaling.row_of("docs", 2, said)
    table = 4 * 8_192 * 256
    (exchanged,) = row["collectives"].items()
    four_numbers = 16  # of the loss
    whole = said["gradient_bytes"] + table + four_numbers
    assert exchanged == ("all-reduce among 2", {"count": 2, "bytes": whole})
