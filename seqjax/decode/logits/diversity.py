"""Groups of a beam that keep out of each other's way."""

from jaxtyping import Array, Float, Int

from seqjax.decode.logits.chain import of_rows


def hamming_diversity(
    logits: Float[Array, "rows vocab"], counts: Int[Array, "batch vocab"], strength: float
) -> Float[Array, "rows vocab"]:
    """Returns logits less `strength` for each time that another group chose the token.

    No processor, for it sees what no row has in its own history.

    Args:
      logits: Of the rows of one group, those of a sentence next to each other.
      counts: How often each token was chosen, at this step, by groups that came before.
      strength: At least 0.

    References:
      Vijayakumar et al., "Diverse beam search", 2018, section 3 (Hamming diversity).
    """
    return logits - strength * of_rows(counts, logits.shape[0]).astype(logits.dtype)
