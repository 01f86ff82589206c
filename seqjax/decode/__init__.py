"""Search over any step function. Knows no model."""

from seqjax.decode.beam import beam_search as beam_search
from seqjax.decode.logits import chain as chain
from seqjax.decode.logits import forbid as forbid
from seqjax.decode.logits import min_length as min_length
from seqjax.decode.logits import no_repeat_ngram as no_repeat_ngram
from seqjax.decode.logits import repetition_penalty as repetition_penalty
from seqjax.decode.logits import temperature as temperature
from seqjax.decode.logits import top_k as top_k
from seqjax.decode.logits import top_p as top_p
from seqjax.decode.protocol import Hypotheses as Hypotheses
from seqjax.decode.protocol import LogitsProcessor as LogitsProcessor
from seqjax.decode.protocol import StepFn as StepFn
from seqjax.decode.sample import force as force
from seqjax.decode.sample import greedy as greedy
from seqjax.decode.sample import sample as sample
from seqjax.decode.scoring import average as average
from seqjax.decode.scoring import gnmt as gnmt
