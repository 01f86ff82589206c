"""Experiments: one folder a question, one runner for all of them."""
