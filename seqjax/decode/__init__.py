"""Search over any step function. Knows no model."""

from seqjax.decode.beam import Beam as Beam
from seqjax.decode.force import Forced as Forced
from seqjax.decode.force import force as force
from seqjax.decode.logits.chain import chain as chain
from seqjax.decode.logits.diversity import hamming_diversity as hamming_diversity
from seqjax.decode.logits.lengths import decay_length as decay_length
from seqjax.decode.logits.lengths import force_first as force_first
from seqjax.decode.logits.lengths import force_last as force_last
from seqjax.decode.logits.lengths import force_prefix as force_prefix
from seqjax.decode.logits.lengths import min_length as min_length
from seqjax.decode.logits.narrowing import epsilon_cutoff as epsilon_cutoff
from seqjax.decode.logits.narrowing import eta_cutoff as eta_cutoff
from seqjax.decode.logits.narrowing import min_p as min_p
from seqjax.decode.logits.narrowing import temperature as temperature
from seqjax.decode.logits.narrowing import top_k as top_k
from seqjax.decode.logits.narrowing import top_p as top_p
from seqjax.decode.logits.narrowing import typical_p as typical_p
from seqjax.decode.logits.repetition import encoder_no_repeat_ngram as encoder_no_repeat_ngram
from seqjax.decode.logits.repetition import (
    encoder_repetition_penalty as encoder_repetition_penalty,
)
from seqjax.decode.logits.repetition import frequency_penalty as frequency_penalty
from seqjax.decode.logits.repetition import no_repeat_ngram as no_repeat_ngram
from seqjax.decode.logits.repetition import presence_penalty as presence_penalty
from seqjax.decode.logits.repetition import repetition_penalty as repetition_penalty
from seqjax.decode.logits.words import allow as allow
from seqjax.decode.logits.words import forbid as forbid
from seqjax.decode.logits.words import forbid_at_start as forbid_at_start
from seqjax.decode.logits.words import forbid_phrases as forbid_phrases
from seqjax.decode.logits.words import sequence_bias as sequence_bias
from seqjax.decode.mix import ensemble as ensemble
from seqjax.decode.mix import fuse as fuse
from seqjax.decode.protocol import Hypotheses as Hypotheses
from seqjax.decode.protocol import LogitsProcessor as LogitsProcessor
from seqjax.decode.protocol import StepFn as StepFn
from seqjax.decode.protocol import Symbols as Symbols
from seqjax.decode.required import Required as Required
from seqjax.decode.required import require as require
from seqjax.decode.rerank import minimum_bayes_risk as minimum_bayes_risk
from seqjax.decode.rerank import rerank as rerank
from seqjax.decode.sample import Greedy as Greedy
from seqjax.decode.sample import Sample as Sample
from seqjax.decode.scoring import average as average
from seqjax.decode.scoring import brevity as brevity
from seqjax.decode.scoring import coverage_penalty as coverage_penalty
from seqjax.decode.scoring import coverage_summary as coverage_summary
from seqjax.decode.scoring import gnmt as gnmt
from seqjax.decode.scoring import length_normalised as length_normalised
from seqjax.decode.scoring import sockeye as sockeye
from seqjax.decode.search import begin as begin
from seqjax.decode.search import go_on as go_on
from seqjax.decode.search import search as search
from seqjax.decode.stochastic import StochasticBeam as StochasticBeam
from seqjax.decode.stream import stream as stream
