"""Recurrent sequence models in JAX and Flax: LSTM or seq2seq, which for my task, and why?

The road in two imports: `seqjax.runs.road.train` trains what a `seqjax.config.Config` describes,
`seqjax.runs.trained.load` opens what was trained. Nothing is imported here, so that the command
line answers at once.
"""
