"""The names that a likelihood is told by, whatever it is of."""

import math


def likelihood_scores(loss: float, tokens: int) -> dict[str, float]:
    """Returns `loss`, `perplexity` (its exp), `bits_per_token` and `tokens`.

    A model that is worse than any vocabulary still has a perplexity that JSON can hold.

    Args:
      loss: The mean negative log-likelihood of a token, in nats.
      tokens: Over how many it is taken.

    >>> likelihood_scores(math.log(2), 3)
    {'loss': 0.6931471805599453, 'perplexity': 2.0, 'bits_per_token': 1.0, 'tokens': 3}
    """
    return {
        "loss": loss,
        "perplexity": math.exp(min(loss, 700.0)),
        "bits_per_token": loss / math.log(2),
        "tokens": tokens,
    }


def example_scores(loss: float, examples: int) -> dict[str, float]:
    """Returns `loss` alone, where it is no likelihood; how many there are is told elsewhere."""
    del examples
    return {"loss": loss}


def step_scores(loss: float, steps: int) -> dict[str, float]:
    """Returns `loss` and `steps`, where many things are said at a step and none is a token.

    >>> step_scores(8.5, 3)
    {'loss': 8.5, 'steps': 3}
    """
    return {"loss": loss, "steps": steps}
