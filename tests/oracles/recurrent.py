"""One row, one time step at a time, in NumPy float64: written from the equations."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_row(input_kernel, recurrent_kernel, bias, hidden, cell, inputs):
    """Runs an LSTM over `inputs` `[time, features]`; returns outputs `[time, hidden]`, h, c."""
    size = hidden.shape[0]
    outputs = []
    for x in inputs:
        pre = x @ input_kernel + hidden @ recurrent_kernel + bias
        i, f = sigmoid(pre[:size]), sigmoid(pre[size : 2 * size])
        g, o = np.tanh(pre[2 * size : 3 * size]), sigmoid(pre[3 * size :])
        cell = f * cell + i * g
        hidden = o * np.tanh(cell)
        outputs.append(hidden)
    return np.array(outputs).reshape(-1, size), hidden, cell


def lstm(input_kernel, recurrent_kernel, bias, hidden, cell, inputs, lengths, *, reverse=False):
    """Runs an LSTM over right-padded rows; returns outputs (0 at padding), h, c of each row."""
    batch, time, _ = inputs.shape
    outputs = np.zeros((batch, time, hidden.shape[1]))
    final_hidden, final_cell = hidden.copy(), cell.copy()
    for row in range(batch):
        steps = inputs[row, : lengths[row]]
        out, h, c = lstm_row(
            input_kernel,
            recurrent_kernel,
            bias,
            hidden[row],
            cell[row],
            steps[::-1] if reverse else steps,
        )
        outputs[row, : lengths[row]] = out[::-1] if reverse else out
        final_hidden[row], final_cell[row] = h, c
    return outputs, final_hidden, final_cell


def softmax(scores):
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()
