"""What training minimises. A loss is a `Mean`: its parts add up to the loss of the whole."""

from seqjax.losses.activations import activation_penalty as activation_penalty
from seqjax.losses.activations import change_penalty as change_penalty
from seqjax.losses.attention import attention_spread as attention_spread
from seqjax.losses.attention import coverage_loss as coverage_loss
from seqjax.losses.bernoulli import bernoulli_loss as bernoulli_loss
from seqjax.losses.bernoulli import chord_means as chord_means
from seqjax.losses.bernoulli import frame_scores as frame_scores
from seqjax.losses.bernoulli import loss_after_first as loss_after_first
from seqjax.losses.crf import crf_loss as crf_loss
from seqjax.losses.cross_entropy import cross_entropy as cross_entropy
from seqjax.losses.cross_entropy import token_accuracy as token_accuracy
from seqjax.losses.ctc import CTCLoss as CTCLoss
from seqjax.losses.ctc import ctc_loss as ctc_loss
from seqjax.losses.distillation import distillation_loss as distillation_loss
from seqjax.losses.distillation import teacher_log_probs as teacher_log_probs
from seqjax.losses.likeness import bleu_costs as bleu_costs
from seqjax.losses.likeness import edit_costs as edit_costs
from seqjax.losses.risk import are_new as are_new
from seqjax.losses.risk import expected_costs as expected_costs
from seqjax.losses.squares import squared_error as squared_error
from seqjax.losses.unlikelihood import repeats_ngram as repeats_ngram
from seqjax.losses.unlikelihood import repetition_unlikelihood as repetition_unlikelihood
from seqjax.losses.unlikelihood import unlikelihood as unlikelihood
