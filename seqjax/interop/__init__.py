"""Weights in and out: PyTorch, Keras, Flax and ONNX as plain NumPy arrays, none of them imported.

from seqjax.interop.torch import from_torch
stack = from_torch(torch_lstm.state_dict(), "lstm")
"""
