"""The seq2seq of `benchmarks/seq2seq.py` in plain PyTorch."""

import os
from typing import Any

import torch  # pyright: ignore[reportMissingImports]

from benchmarks.seq2seq import BOS_ID, CLIP_NORM, LAYERS, LEARNING_RATE, Size
from benchmarks.timing import Way


class TorchSeq2Seq(torch.nn.Module):
    """An encoder-decoder with general attention over `nn.LSTM`.

    With input feeding the decoder is a loop over `nn.LSTMCell`s, for a layer cannot wait for what
    is above it.
    """

    def __init__(self, size: Size, input_feeding: bool):
        super().__init__()
        width, vocabulary = size.width, size.vocabulary
        self.input_feeding = input_feeding
        self.source_embedding = torch.nn.Embedding(vocabulary, width)
        self.target_embedding = torch.nn.Embedding(vocabulary, width)
        self.encoder = torch.nn.LSTM(
            width, width // 2, num_layers=LAYERS, bidirectional=True, batch_first=True
        )
        if input_feeding:
            sizes = [2 * width] + [width] * (LAYERS - 1)
            self.cells = torch.nn.ModuleList(torch.nn.LSTMCell(below, width) for below in sizes)
        else:
            self.decoder = torch.nn.LSTM(width, width, num_layers=LAYERS, batch_first=True)
        self.key_map = torch.nn.Linear(width, width, bias=False)
        self.readout_map = torch.nn.Linear(2 * width, width)
        self.output_map = torch.nn.Linear(width, vocabulary)

    def forward(self, source, lengths, tokens):
        """Returns logits `[rows, target, vocabulary]`, given the token before each."""
        memory, state = self.encoder(self.source_embedding(source))
        hidden, cell = (_directions_side_by_side(part) for part in state)
        keys = self.key_map(memory)
        padding = torch.arange(source.shape[1])[None] >= lengths[:, None]
        embedded = self.target_embedding(tokens)
        if self.input_feeding:
            readout = self._fed(embedded, hidden, cell, memory, keys, padding)
        else:
            queries, _ = self.decoder(embedded, (hidden, cell))
            readout = self._read(queries, memory, keys, padding)
        return self.output_map(readout)

    def loss(self, source, lengths, target):
        """Returns the mean cross-entropy in nats per token."""
        first = torch.full_like(target[:, :1], BOS_ID)
        logits = self(source, lengths, torch.cat([first, target[:, :-1]], dim=1))
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), target.flatten())

    def _fed(self, embedded, hidden, cell, memory, keys, padding):
        hidden, cell = list(hidden.unbind()), list(cell.unbind())
        feed = torch.zeros_like(hidden[0])
        readouts = []
        for token in embedded.unbind(dim=1):
            below = torch.cat([token, feed], dim=-1)
            for depth, layer in enumerate(self.cells):
                hidden[depth], cell[depth] = layer(below, (hidden[depth], cell[depth]))
                below = hidden[depth]
            feed = self._read(below[:, None], memory, keys, padding)[:, 0]
            readouts.append(feed)
        return torch.stack(readouts, dim=1)

    def _read(self, queries, memory, keys, padding):
        scores = torch.bmm(queries, keys.transpose(1, 2))
        weights = scores.masked_fill(padding[:, None], -torch.inf).softmax(dim=-1)
        context = torch.bmm(weights, memory)
        return torch.tanh(self.readout_map(torch.cat([context, queries], dim=-1)))


def _directions_side_by_side(state):
    """Layers and directions x rows x half -> layers x rows x width."""
    layers = state.unflatten(0, (-1, 2))
    return torch.cat([layers[:, 0], layers[:, 1]], dim=-1)


def inputs_of(size: Size) -> tuple[Any, Any, Any]:
    """Returns source, its lengths and target: the same ids as ours, all rows of full length."""
    source, target = (torch.tensor(ids, dtype=torch.long) for ids in size.draw())
    return source, torch.full((size.rows,), size.source), target


def training_step(size: Size, input_feeding: bool) -> Way:
    """Returns one update of a model that is kept, with as many threads as JAX has.

    Adam is the fused one, clipping works on all weights together: the fastest of either.
    """
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    model = TorchSeq2Seq(size, input_feeding)
    optimizer = torch.optim.Adam(model.parameters(), lr=LEARNING_RATE, fused=True)
    inputs = inputs_of(size)

    def update():
        optimizer.zero_grad(set_to_none=True)
        loss = model.loss(*inputs)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP_NORM, foreach=True)
        optimizer.step()
        return loss.item()

    return update
