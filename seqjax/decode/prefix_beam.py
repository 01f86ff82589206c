"""Prefix beam search for CTC: the best labels, whichever frames they are said at."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from seqjax.decode.distribution import as_logits, best, normalised
from seqjax.decode.protocol import AnyState, Hypotheses, StepFn, Symbols
from seqjax.decode.search import gather
from seqjax.lattice import log_add
from seqjax.masking import length_mask, where_rows
from seqjax.unroll.scan import scan_steps


@dataclass(frozen=True)
class Language:
    """A language model that is listened to while prefixes are searched.

    Attributes:
      step_fn: The model; see `StepFn`.
      state: Its state before the first step, one row per row of frames.
      weight: Of its log-probabilities, EOS's at the end among them.
      rewards: `[vocab]` what saying a label adds to the score: the same for all is a reward of
        length; one for the label that ends words counts words.
      symbols: Its BOS and EOS.
      ids: What each label is to the language model; that of the blank is not looked at.
    """

    step_fn: StepFn
    state: AnyState
    weight: float | Float[Array, ""]
    rewards: Float[Array, " vocab"]
    symbols: Symbols
    ids: Int[Array, " vocab"]


class _Heard(NamedTuple):
    """What the language model says after each prefix.

    Attributes:
      gains: What each label would add to the score.
      end: What ending here would.
      state: The model's.
    """

    gains: Float[Array, "batch width vocab"]
    end: Float[Array, "batch width"]
    state: AnyState


class _Prefixes(NamedTuple):
    """Different prefixes of each row, best first; a slot that holds none has -inf of both kinds.

    Attributes:
      tokens, lengths: What they say.
      blank: Log-probability of all paths that say it and end with a blank.
      label: The same of those that end with its last label.
      added: What the language model has added to the score.
      heard: `_Heard`; nothing without a language model.
    """

    tokens: Int[Array, "batch width max_length"]
    lengths: Int[Array, "batch width"]
    blank: Float[Array, "batch width"]
    label: Float[Array, "batch width"]
    added: Float[Array, "batch width"]
    heard: Any

    @property
    def last(self) -> Int[Array, "batch width"]:
        """The last label; -1 where there is none."""
        place = jnp.maximum(self.lengths - 1, 0)[..., None]
        last = jnp.take_along_axis(self.tokens, place, axis=2)[..., 0]
        return jnp.where(self.lengths > 0, last, -1)


def ctc_beam(
    log_probs: Float[Array, "batch time vocab"],
    lengths: Int[Array, " batch"],
    *,
    blank_id: int,
    pad_id: int,
    width: int,
    max_length: int,
    n_best: int = 1,
    language: Language | None = None,
) -> Hypotheses:
    r"""Returns the best labels by prefix beam search, in one compiled loop over frames.

    After every frame the `width` best prefixes live on. Of each, the paths that end with a blank
    and those that end with its last label are counted apart, and what comes from several prefixes
    is added up where the labels are the same, which is decided by comparing them. Were the beam as
    wide as there are prefixes, `log_probs` would be the whole log-probability of the labels; with a
    narrower one they are at most that, for paths through prefixes that did not live on are missing.

    Prefixes are ranked by their score: their log-probability and, with a language model,
    :math:`\alpha \log P_{LM}(y)` and a reward for each label; at the end :math:`P_{LM}` has EOS.
    A language model is asked once for each label that is said, at frames at which some prefix
    of the batch is extended. Ties go to the prefix that is not extended, then to the better
    parent, then to the lower id.

    Args:
      log_probs: In nats; NaN and `+inf` count as forbidden. What stands at padding changes nothing.
      lengths: Frames of each row; of none, the empty answer is the only one.
      blank_id: Id of the blank.
      pad_id: Written after each answer.
      width: Prefixes of each row.
      max_length: Labels that an answer has room for; longer ones are not searched.
      n_best: Answers returned, at most `width`.
      language: If given, a language model to listen to.

    Returns:
      `Hypotheses`, all of them finished; CTC has no EOS.

    Raises:
      ValueError: If sizes do not fit together.

    References:
      Graves, "Supervised sequence labelling with recurrent neural networks", 2012, section 7.5.3;
      Hannun, Maas, Jurafsky & Ng, "First-pass large vocabulary continuous speech recognition using
      bi-directional recurrent DNNs", 2014, algorithm 1, where the number of words to the power of
      beta is a factor; here each counts, as in Hannun et al., "Deep Speech", 2014, section 2.2.
    """
    if not 1 <= n_best <= width:
        raise ValueError(f"n_best must be in [1, width={width}], got {n_best}")
    if max_length < 1:
        raise ValueError(f"max_length must be at least 1, got {max_length}")

    def step(prefixes: _Prefixes, frame: Float[Array, "batch vocab"]):
        return _advanced(prefixes, frame, blank_id=blank_id, language=language), None

    start = _start(log_probs.shape[0], width, max_length, pad_id, language)
    frames = jnp.swapaxes(as_logits(log_probs), 0, 1)
    mask = length_mask(lengths, log_probs.shape[1]).T
    prefixes, _ = scan_steps(step, start, frames, mask)
    total = log_add(prefixes.blank, prefixes.label)
    scores = total + prefixes.added
    if language is not None:
        scores += prefixes.heard.end
    scores, order = best(scores, n_best)
    exists = scores > -jnp.inf
    tokens = jnp.where(exists[..., None], gather(prefixes.tokens, order), pad_id)
    found_lengths = jnp.where(exists, gather(prefixes.lengths, order), 0)
    found = jnp.where(exists, gather(total, order), -jnp.inf)
    return Hypotheses(tokens, found, scores, found_lengths, exists)


def _start(
    batch: int, width: int, max_length: int, pad_id: int, language: Language | None
) -> _Prefixes:
    """Returns the empty prefix, and room for the others."""
    nothing = jnp.full((batch, width), -jnp.inf)
    heard: Any = ()
    if language is not None:
        bos = jnp.full((batch,), language.symbols.bos_id, jnp.int32)
        logits, state = language.step_fn(bos, language.state)
        said = _heard(language, logits[:, None], jax.tree.map(lambda leaf: leaf[:, None], state))
        heard = jax.tree.map(lambda leaf: jnp.repeat(leaf, width, axis=1), said)
    return _Prefixes(
        tokens=jnp.full((batch, width, max_length), pad_id, jnp.int32),
        lengths=jnp.zeros((batch, width), jnp.int32),
        blank=nothing.at[:, 0].set(0.0),
        label=nothing,
        added=jnp.zeros((batch, width)),
        heard=heard,
    )


def _advanced(
    prefixes: _Prefixes,
    frame: Float[Array, "batch vocab"],
    *,
    blank_id: int,
    language: Language | None,
) -> _Prefixes:
    """Returns the best prefixes after one more frame."""
    width, vocab_size = prefixes.lengths.shape[1], frame.shape[1]
    stay, extended = _continued(prefixes, frame, blank_id)
    scores = extended + prefixes.added[..., None]
    if language is not None:
        scores += prefixes.heard.gains
    here = log_add(stay.blank, stay.label) + stay.added
    candidates = jnp.concatenate([here, scores.reshape(scores.shape[0], -1)], axis=1)
    # Prefixes that have died come before extensions that are impossible, and there are enough of
    # them: no slot is ever filled with labels that another one holds.
    _, index = best(candidates, width)
    is_new = index >= width
    parents = jnp.where(is_new, (index - width) // vocab_size, index)
    tokens = jnp.where(is_new, (index - width) % vocab_size, 0).astype(jnp.int32)
    flat = lambda leaf: leaf.reshape(leaf.shape[0], -1)
    place = parents * vocab_size + tokens
    of_parent = jax.tree.map(lambda leaf: gather(leaf, parents), stay)
    ends_here = jnp.arange(stay.tokens.shape[2])[None, None] == of_parent.lengths[..., None]
    written = jnp.where(ends_here & is_new[..., None], tokens[..., None], of_parent.tokens)
    new = of_parent._replace(
        tokens=written,
        lengths=of_parent.lengths + is_new.astype(jnp.int32),
        blank=jnp.where(is_new, -jnp.inf, of_parent.blank),
        label=jnp.where(is_new, gather(flat(extended), place), of_parent.label),
    )
    if language is not None:
        gains = gather(flat(prefixes.heard.gains), place)
        added = of_parent.added + jnp.where(is_new, gains, 0.0)
        new = new._replace(added=added, heard=_asked(language, of_parent.heard, tokens, is_new))
    return new


def _continued(
    prefixes: _Prefixes, frame: Float[Array, "batch vocab"], blank_id: int
) -> tuple[_Prefixes, Float[Array, "batch width vocab"]]:
    """Returns prefixes that stay as they are, and log-probabilities of those that are extended.

    An extension that is there already as a prefix is counted with it, and is -inf by itself.
    """
    batch, width, max_length = prefixes.tokens.shape
    vocab_size, last = frame.shape[1], prefixes.last
    ids = jnp.arange(vocab_size)[None, None]
    total = log_add(prefixes.blank, prefixes.label)
    repeats = ids == last[..., None]
    # A label is said again only after a blank.
    extended = jnp.where(repeats, prefixes.blank[..., None], total[..., None]) + frame[:, None]
    full = (prefixes.lengths >= max_length)[..., None]
    extended = jnp.where((ids == blank_id) | full, -jnp.inf, extended)
    blank = total + frame[:, blank_id][:, None]
    said = jnp.take_along_axis(frame, jnp.maximum(last, 0), axis=1)
    label = prefixes.label + jnp.where(last >= 0, said, -jnp.inf)
    parent, has_parent = _parents(prefixes)
    place = parent * vocab_size + jnp.maximum(last, 0)
    flat = extended.reshape(batch, -1)
    joined = jnp.where(has_parent, gather(flat, place), -jnp.inf)
    rows = jnp.arange(batch)[:, None]
    outside = jnp.where(has_parent, place, width * vocab_size)
    extended = flat.at[rows, outside].set(-jnp.inf, mode="drop").reshape(extended.shape)
    return prefixes._replace(blank=blank, label=log_add(label, joined)), extended


def _parents(
    prefixes: _Prefixes,
) -> tuple[Int[Array, "batch width"], Bool[Array, "batch width"]]:
    """Returns which prefix each is the extension of by its last label, and whether there is one."""
    tokens, lengths = prefixes.tokens, prefixes.lengths
    beyond = jnp.arange(tokens.shape[2])[None, None] >= lengths[..., None]
    alike = (tokens[:, :, None] == tokens[:, None]) | beyond[:, :, None]  # batch parent child time
    longer = lengths[:, None] == lengths[:, :, None] + 1
    is_parent = jnp.all(alike, axis=-1) & longer
    return jnp.argmax(is_parent, axis=1), jnp.any(is_parent, axis=1)


def _heard(
    language: Language, logits: Float[Array, "batch width language_vocab"], state: AnyState
) -> _Heard:
    log_probs = normalised(logits)
    # A weight of 0 leaves the model out, also where it forbids: 0 times -inf is no number.
    weighed = jnp.where(language.weight == 0, 0.0, language.weight * log_probs)
    gains = weighed[..., language.ids] + language.rewards[None, None]
    return _Heard(gains, weighed[..., language.symbols.eos_id], state)


def _asked(
    language: Language,
    heard: _Heard,
    tokens: Int[Array, "batch width"],
    is_new: Bool[Array, "batch width"],
) -> _Heard:
    """Returns what is heard after tokens where they are new; elsewhere as before."""
    batch, width = tokens.shape

    def ask(heard: _Heard) -> _Heard:
        state = jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), heard.state)
        logits, state = language.step_fn(language.ids[tokens].reshape(-1), state)
        state = jax.tree.map(lambda leaf: leaf.reshape(batch, width, *leaf.shape[1:]), state)
        said = _heard(language, logits.reshape(batch, width, -1), state)
        return jax.tree.map(lambda new, old: where_rows(is_new, new, old), said, heard)

    return jax.lax.cond(jnp.any(is_new), ask, lambda heard: heard, heard)
