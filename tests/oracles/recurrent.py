"""One row, one time step at a time, in NumPy float64: written from the equations.

A step takes the weights of a cell as a dict, a carry as a tuple of vectors and one input vector; it
returns the new carry, whose first vector is the output.
"""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def run(step, weights, carry, inputs, lengths, *, reverse=False):
    """Runs a step over right-padded rows; returns outputs (0 at padding) and the carry of each."""
    batch, time, _ = inputs.shape
    outputs = np.zeros((batch, time, carry[0].shape[1]))
    final = [leaf.copy() for leaf in carry]
    for row in range(batch):
        state = tuple(leaf[row] for leaf in carry)
        times = range(lengths[row])
        for t in reversed(times) if reverse else times:
            state = step(weights, state, inputs[row, t])
            outputs[row, t] = state[0]
        for leaf, value in zip(final, state, strict=True):
            leaf[row] = value
    return outputs, tuple(final)


def lstm(weights, carry, x):
    hidden, cell = carry
    pre = x @ weights["input_kernel"] + hidden @ weights["recurrent_kernel"] + weights["bias"]
    i, f, g, o = np.split(pre, 4)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    return sigmoid(o) * np.tanh(cell), cell


def lstm_variant(name):
    """Greff et al. (2017): the vanilla LSTM with peepholes, and what each variant leaves out."""
    blocks = {
        "no_input_gate": "fgo",
        "no_forget_gate": "igo",
        "no_output_gate": "ifg",
        "coupled": "igo",
    }.get(name, "ifgo")
    gates = [block for block in blocks if block != "g"]

    def step(weights, carry, x):
        hidden, cell, *before = carry
        pre = x @ weights["input_kernel"] + hidden @ weights["recurrent_kernel"] + weights["bias"]
        z = dict(zip(blocks, np.split(pre, len(blocks)), strict=True))
        p = dict(zip(gates, weights["peepholes"], strict=True))
        if name == "gate_recurrence":
            fed = np.split(before[0] @ weights["gate_kernel"], len(gates))
            for gate, part in zip(gates, fed, strict=True):
                z[gate] = z[gate] + part
        i = 1.0 if name == "no_input_gate" else sigmoid(z["i"] + p["i"] * cell)
        if name == "no_forget_gate":
            f = 1.0
        elif name == "coupled":
            f = 1.0 - i
        else:
            f = sigmoid(z["f"] + p["f"] * cell)
        g = z["g"] if name == "no_input_activation" else np.tanh(z["g"])
        new = f * cell + i * g
        o = 1.0 if name == "no_output_gate" else sigmoid(z["o"] + p["o"] * new)
        hidden = o * (new if name == "no_output_activation" else np.tanh(new))
        after = [np.concatenate([i, f, o])] if name == "gate_recurrence" else []
        return (hidden, new, *after)

    return step


def lstm_projected(weights, carry, x):
    hidden, cell = lstm(weights, carry, x)
    return hidden @ weights["projection"], cell


def lstm_normalised(weights, carry, x):
    """Ba, Kiros & Hinton (2016), supplement (20) to (22)."""
    hidden, cell = carry
    normal = lambda v: (v - v.mean()) / np.sqrt(v.var() + 1e-6)
    pre = (
        weights["input_scale"] * normal(x @ weights["input_kernel"])
        + weights["recurrent_scale"] * normal(hidden @ weights["recurrent_kernel"])
        + weights["bias"]
    )
    i, f, g, o = np.split(pre, 4)
    cell = sigmoid(f) * cell + sigmoid(i) * np.tanh(g)
    shown = weights["cell_scale"] * normal(cell) + weights["cell_bias"]
    return sigmoid(o) * np.tanh(shown), cell


def rnn(activation):
    def step(weights, carry, x):
        pre = x @ weights["input_kernel"] + carry[0] @ weights["recurrent_kernel"] + weights["bias"]
        return (activation(pre),)

    return step


def gru(weights, carry, x):
    """The reset gate after the product: cuDNN, PyTorch."""
    (h,) = carry
    a, u = x @ weights["input_kernel"] + weights["bias"], h @ weights["recurrent_kernel"]
    (ar, az, an), (ur, uz, un) = np.split(a, 3), np.split(u, 3)
    r, z = sigmoid(ar + ur), sigmoid(az + uz)
    n = np.tanh(an + r * (un + weights["candidate_bias"]))
    return ((1 - z) * n + z * h,)


def gru_reset_before(weights, carry, x):
    """Cho et al. (2014)."""
    (h,) = carry
    ar, az, an = np.split(x @ weights["input_kernel"] + weights["bias"], 3)
    kr, kz, kn = np.split(weights["recurrent_kernel"], 3, axis=1)
    r, z = sigmoid(ar + h @ kr), sigmoid(az + h @ kz)
    n = np.tanh(an + (r * h) @ kn)
    return ((1 - z) * n + z * h,)


def mgu(weights, carry, x):
    """Zhou et al. (2016)."""
    (h,) = carry
    af, an = np.split(x @ weights["input_kernel"] + weights["bias"], 2)
    kf, kn = np.split(weights["recurrent_kernel"], 2, axis=1)
    f = sigmoid(af + h @ kf)
    n = np.tanh(an + (f * h) @ kn)
    return ((1 - f) * h + f * n,)


def min_gru(weights, carry, x):
    """Feng et al. (2024)."""
    z, n = np.split(x @ weights["input_kernel"] + weights["bias"], 2)
    z = sigmoid(z)
    return ((1 - z) * carry[0] + z * n,)


def min_lstm(weights, carry, x):
    """Feng et al. (2024)."""
    i, f, n = np.split(x @ weights["input_kernel"] + weights["bias"], 3)
    i, f = sigmoid(i), sigmoid(f)
    return (f / (f + i) * carry[0] + i / (f + i) * n,)


def slstm(heads, forget):
    """Beck et al. (2024), without the stabiliser: exponentials as they are."""

    def step(weights, carry, x):
        hidden, cell, normaliser, stabiliser = carry
        scale = np.exp(stabiliser)
        cell, normaliser = cell * scale, normaliser * scale
        a = np.split(x @ weights["input_kernel"] + weights["bias"], 4)
        parts = np.split(hidden, heads)
        for head, part in enumerate(parts):
            products = np.split(part @ weights["recurrent_kernel"][head], 4)
            size = part.shape[0]
            for block, product in zip(a, products, strict=True):
                block[head * size : (head + 1) * size] += product
        i, f, g, o = a
        i, f = np.exp(i), sigmoid(f) if forget == "sigmoid" else np.exp(f)
        cell, normaliser = f * cell + i * np.tanh(g), f * normaliser + i
        return sigmoid(o) * cell / normaliser, cell, normaliser, np.zeros_like(cell)

    return step


def softmax(scores):
    weights = np.exp(scores - scores.max())
    return weights / weights.sum()
