"""What is timed: that both sides do the same, and that rows say what they should."""

import mmap
import sys

import jax
import numpy as np
import optax
import pytest

from benchmarks import corpus, growth, host, memory, seq2seq, seqjax_seq2seq
from benchmarks.seq2seq import Size
from benchmarks.timing import in_turn_processes
from seqjax.interop.torch import to_torch

TINY = Size(rows=3, source=4, target=5, vocabulary=11, width=6)


def _torch_weights(params, input_feeding):
    """Returns our weights under the names that the PyTorch model has for them."""
    encoder, decoder = params["encoder"], params["decoder"]
    stack = tuple(
        tuple(encoder[f"layers_{depth}"][f"{way}_cell"] for way in ("forward", "backward"))
        for depth in range(2)
    )
    weights = {
        "source_embedding.weight": encoder["embedding"]["embedding"],
        "target_embedding.weight": decoder["embedding"]["embedding"],
        "key_map.weight": decoder["reader"]["scorer"]["key_map"]["kernel"].T,
        "readout_map.weight": decoder["reader"]["readout_map"]["kernel"].T,
        "readout_map.bias": decoder["reader"]["readout_map"]["bias"],
        "output_map.weight": decoder["output_map"]["kernel"].T,
        "output_map.bias": decoder["output_map"]["bias"],
    }
    weights |= {f"encoder.{name}": value for name, value in to_torch(stack, "lstm").items()}
    cells = [decoder[f"cells_{depth}"] for depth in range(2)]
    if input_feeding:
        for depth, cell in enumerate(cells):
            for name, value in to_torch(((cell,),), "lstm").items():
                weights[f"cells.{depth}.{name.removesuffix('_l0')}"] = value
    else:
        entries = to_torch(tuple((cell,) for cell in cells), "lstm")
        weights |= {f"decoder.{name}": value for name, value in entries.items()}
    return weights


@pytest.mark.parametrize("input_feeding", (False, True))
def test_the_seq2seq_of_pytorch_is_ours(input_feeding):
    torch = pytest.importorskip("torch")
    from benchmarks import torch_seq2seq

    learner, batch = seqjax_seq2seq.build(TINY, input_feeding), seqjax_seq2seq.batch_of(TINY)
    shapes = jax.eval_shape(learner.init, batch, jax.random.key(0))
    draw = np.random.default_rng(0).normal
    params = jax.tree.map(lambda leaf: draw(scale=0.3, size=leaf.shape).astype("f"), shapes)

    def loss_fn(params, batch):
        return learner.loss_fn(params, (), batch, jax.random.key(1), 0, train=True)[0].value()

    loss, gradients = jax.jit(jax.value_and_grad(loss_fn))(params, batch)

    model = torch_seq2seq.TorchSeq2Seq(TINY, input_feeding)
    weights = _torch_weights(params, input_feeding)
    model.load_state_dict({name: torch.tensor(np.array(w)) for name, w in weights.items()})
    torch_loss = model.loss(*torch_seq2seq.inputs_of(TINY))
    torch_loss.backward()
    squares = [
        float((weight.grad**2).sum())
        for name, weight in model.named_parameters()
        if "bias_hh" not in name  # the second bias, whose gradient is that of the first
    ]
    assert torch_loss.item() == pytest.approx(float(loss), rel=1e-5)
    assert sum(squares) ** 0.5 == pytest.approx(float(optax.tree.norm(gradients)), rel=1e-5)


def test_a_process_of_its_own_says_how_long_a_step_takes():
    pytest.importorskip("torch")
    said = in_turn_processes("benchmarks.seq2seq", {"peer": ("torch", 1, *TINY)}, 1)
    assert said["peer"][0] > 0


def _processes(said):
    """Returns a stand-in for `in_turn_processes`, in which each way says what it is told to."""
    return lambda module, arguments, runs: {name: [said[name]] * runs for name in arguments}


def test_a_row_says_how_much_longer_the_peer_takes(monkeypatch):
    said = {"seqjax": 0.5, "seqjax scan": 1.0, "torch": 0.75, "torch, memory kept": 0.25}
    monkeypatch.setattr(seq2seq, "in_turn_processes", _processes(said))
    monkeypatch.setattr(seq2seq, "product_rate", lambda: 100.0)
    monkeypatch.setattr(seq2seq, "peers_here", lambda: seq2seq.TORCH)
    found = list(seq2seq.measurements(runs=2, size=TINY))
    assert [row["ratio"] for row in found] == 2 * [2.0, 1.5, 0.5]
    assert [row["case"] for row in found[2:4]] == ["seq2seq step", "seq2seq step, input feeding"]
    assert found[0]["tokens_per_s"] == 15 / 0.5
    assert found[0]["peer_tokens_per_s"] == 15 / 1.0
    assert seq2seq.line_of(found[0]).endswith("2.00 x seqjax scan (1000.00 ms)  30 target tokens/s")


def test_the_work_is_counted_product_by_product():
    encoder = 4 * 2 * (4 * 3 * (6 + 3)) + 4 * 6 * 6  # first layer and second, both ways; keys
    decoder = 5 * (4 * 6 * 12 + 4 * 6 * 12 + 4 * 6 * 2 + 12 * 6 + 6 * 11)
    encoder += 4 * 2 * (4 * 3 * (6 + 3))
    assert TINY.gflop(False) == pytest.approx(6 * 3 * (encoder + decoder) / 1e9)
    assert TINY.gflop(True) == pytest.approx(6 * 3 * (encoder + decoder + 5 * 4 * 36) / 1e9)


def test_a_row_says_how_much_more_memory_the_peer_takes(monkeypatch):
    said = dict.fromkeys((*memory.STEP, *memory.LAYER, *seq2seq.TORCH), [3.0, 9.0])
    said["seqjax"] = said["seqjax, keep_every"] = [2.0, 8.0]
    monkeypatch.setattr(memory, "in_turn_processes", _processes(said))
    monkeypatch.setattr(seq2seq, "peers_here", lambda: seq2seq.TORCH)
    found = list(memory.measurements(runs=2))
    assert len(found) == 3 + 3 + 2
    assert found[0] == {
        "case": "seq2seq step",
        "ours_mb": 2.0,
        "peer": "seqjax, memory given back",
        "peer_mb": 3.0,
        "ratio": 1.5,
        "ours_peak_mb": 8.0,
        "peer_peak_mb": 9.0,
    }
    assert "2.0 MB (peak 8.0)   1.50 x seqjax, memory given back" in memory.line_of(found[0])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
def test_resident_memory_is_that_of_the_process():
    before = memory.resident()
    held = np.frombuffer(mmap.mmap(-1, 100_000_000), np.uint8)  # never of what was freed before
    held[:] = 1
    after = memory.resident()
    assert before.now <= before.highest
    assert after.now - before.now > 0.9 * held.nbytes / 1e6
    assert after.highest >= after.now


@pytest.mark.slow
@pytest.mark.standard_promotion
def test_each_shape_is_compiled_once(monkeypatch):
    monkeypatch.setattr(growth, "keep_freed_memory", lambda: True)
    found = list(
        growth.measurements(runs=2, lengths=(2, 4), rows=(1,), tokens=(2,), hidden=4, size=TINY)
    )
    assert [row["units"] for row in found] == [2, 4, 1, 2]
    assert [row["compilations"] for row in found] == 4 * [1]
    assert [row["of_first"] for row in (found[0], found[2], found[3])] == 3 * [1.0]
    assert found[1]["of_largest"] == 1.0
    assert growth.line_of(found[0]).startswith("lstm 32 x _ x 4: length 2 ")


def test_a_corpus_takes_what_it_takes_above_a_small_one(tmp_path, monkeypatch):
    corpus.write_corpus(tmp_path / "pairs.tsv", "pairs", 4_000)
    lines = (tmp_path / "pairs.tsv").read_text().splitlines()
    assert len(lines) == 200 and all(len(line.split("\t")) == 2 for line in lines)
    assert sum(len(line.split()) for line in lines) == 4_000
    peaks = zip(corpus.WAYS, (100.0, 130.0, 120.0, 900.0), strict=True)
    said = {way: {"peak_mb": peak, "seconds": 2.0} for way, peak in peaks}
    monkeypatch.setattr(corpus, "in_turn_processes", _processes(said))
    found = list(corpus.measurements(tokens=400, small=200))
    assert [row["rise_mb"] for row in found] == 2 * [0.0, 30.0, 20.0, 800.0]
    assert [row["case"] for row in found] == 4 * ["text"] + 4 * ["pairs"]
    assert "beyond the model     800 MB" in corpus.line_of(found[3])


def test_the_batches_that_the_host_makes_are_planned():
    plan = host.batch_plan(16, pairs=300)
    shapes = {batch.inputs.values.shape for batch in plan.batches(0)}
    assert 1 < len(shapes) == len(plan.shapes) <= host.SHAPES
    assert {rows for rows, _ in shapes} == {16}
