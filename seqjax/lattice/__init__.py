"""Sums and gradients over exponentially many paths, step by step: CTC and the linear chain."""

from seqjax.lattice.chain import expected_transitions as expected_transitions
from seqjax.lattice.chain import forbid as forbid
from seqjax.lattice.chain import log_partition as log_partition
from seqjax.lattice.chain import no_transitions as no_transitions
from seqjax.lattice.chain import path_scores as path_scores
from seqjax.lattice.chain import tag_marginals as tag_marginals
from seqjax.lattice.ctc import label_log_probs as label_log_probs
from seqjax.lattice.ctc import label_posteriors as label_posteriors
from seqjax.lattice.sums import log_add as log_add
