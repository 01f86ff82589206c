"""What can be found while a run trains: the T-codes."""

from seqjax.codes import Code

NOT_FINITE = Code(
    "SJ-T01",
    "loss or gradient is not finite",
    "A step whose loss or gradient is not a finite number is left out: weights and optimizer stay "
    "as they were. One such step is an accident; many in a row end the run. It usually comes from "
    "a learning rate that is too high, from no clipping, or from a cell whose state grows without "
    "bound (rnn_relu).",
    "--optimizer.clip-norm 1, half the --optimizer.learning-rate, or more "
    "--optimizer.warmup-steps.",
)
NOTHING_LEARNT = Code(
    "SJ-T02",
    "the loss is no better than token frequencies",
    "Whoever knows only how often each token occurs in the training targets, and nothing of the "
    "source or of the tokens before, has a loss of the unigram entropy. A model that is no better "
    "after 300 steps learns nothing of the task: its learning rate is far too low or far too high, "
    "or sources and targets do not belong together (two files that are shifted against each "
    "other).",
    "Try --optimizer.learning-rate ten times as high and a tenth; look at the pairs with "
    "seqjax inspect --data.",
)
TOO_GOOD = Code(
    "SJ-T03",
    "validation is better than it should be",
    "A validation loss far below the training loss is what a leak looks like: validation examples "
    "that stand in training as well. Dropout and label smoothing make the training loss higher, "
    "but not that much. Where nearly all answers are right in the first epoch, less of a distance "
    "is enough: training examples are as new to the model then as those of validation, and a task "
    "that is simply easy is so for both.",
    "seqjax inspect --data counts the pairs that stand in both; split by whole sources, or leave "
    "--valid away and have such a split made.",
)
CLIPPED = Code(
    "SJ-T04",
    "most gradients are clipped",
    "Clipping is meant for the rare step that would throw the weights far away. Where a third of "
    "the steps are clipped it no longer does that: it sets the size of every update, and the "
    "learning rate means something else than it says.",
    "Raise --optimizer.clip-norm to the norms that are usual in this run, or halve "
    "--optimizer.learning-rate.",
)
ANSWERS_WORSE = Code(
    "SJ-T05",
    "answers get worse while the loss falls",
    "The loss is measured with the right tokens before each token, answers are made with the "
    "model's own. Where the one gets better and the other worse, the model is lost after its own "
    "first mistake (exposure bias), or answers end too early or too late.",
    "Choose weights by what counts: --validation.metric exact_match, token_error_rate or bleu. "
    "--objective.scheduled-sampling 0.2; for lengths --decode.length-penalty and --decode.word-"
    "reward; look at seqjax evaluate RUN --report.",
)
CONCENTRATED = Code(
    "SJ-T06",
    "errors are of one kind",
    "Errors that are spread evenly are a matter of capacity and data. Errors of which a large part "
    "falls on one length of source or on one symbol have one cause: it is rare in training, "
    "written in two ways, or cut off.",
    "Look at such examples in RUN/answers and in the training data; seqjax inspect --data counts "
    "symbols and lengths.",
)
UNHEALTHY = Code(
    "SJ-T07",
    "answers do not end or repeat themselves",
    "Answers that run into the maximal length, or that say the same again and again, are wrong "
    "whatever the rest of them is, and slow. Early in training this is usual; it should be over "
    "by the third validation.",
    "Train on; --decode.no-repeat-ngram 3 or --decode.repetition-penalty 1.2 keep a search from "
    "repeating itself, --objective.scheduled-sampling and a smaller --data.max-target may help.",
)
RECOMPILED = Code(
    "SJ-T08",
    "more shapes are compiled than were planned",
    "Each shape of a batch is compiled once, which takes seconds to minutes. More of them than "
    "there are planned shapes means that batches, or what stands in the training state, change "
    "their shape or type from step to step.",
    "Fewer --data.buckets if that is what changed; otherwise this is a fault of seqjax: please "
    "report it with the line that names the shape.",
)
SLOWED_DOWN = Code(
    "SJ-T09",
    "training has become slow",
    "The same model on the same data takes the same time at every step. Half the speed of the "
    "beginning means that somebody else uses the machine, that it swaps, that it has become hot, "
    "or that reading the data cannot keep up.",
    "Look at the load and the memory of the machine; the line about where the time went, at the "
    "end, tells data from steps.",
)
LOOKS_NOWHERE = Code(
    "SJ-T10",
    "attention is spread evenly",
    "Attention that gives every position of the source the same weight finds nothing: the decoder "
    "sees a mean of the source and works from that and its first state. For a task where source "
    "and target go along together (transliteration, pronunciation, dates) it should be sharp "
    "after a few epochs.",
    "Train on, or with more data; --model.attention additive or general; a higher "
    "--optimizer.learning-rate if the loss falls slowly too.",
)
BEATEN = Code(
    "SJ-T12",
    "something simpler is better",
    "Always giving the most frequent answer, giving back the source, or knowing only how often "
    "each token occurs costs nothing. A model that is no better on the validation data after "
    "three validations is not yet worth its time.",
    "Train on if the loss still falls; else see SJ-T02, and seqjax inspect --data for what the "
    "task asks for (a task that is mostly copying wants --model.copying).",
)
CODES = (
    *(NOT_FINITE, NOTHING_LEARNT, TOO_GOOD, CLIPPED, ANSWERS_WORSE, CONCENTRATED, UNHEALTHY),
    *(RECOMPILED, SLOWED_DOWN, LOOKS_NOWHERE, BEATEN),
)
"""All of them, in the order of their numbers. T11 is not used."""
