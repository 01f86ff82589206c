"""What the checks of running texts, labels, tags and vectors are named: SJ-D30 and above."""

from seqjax.codes import Code
from seqjax.survey.codes_of_pairs import fix_command

OF_TASKS = (
    Code(
        "SJ-D30",
        "lines of the validation or test text stand in the training text too",
        "Whole lines that were seen get far better probabilities than new ones. Short ones (a dot, "
        "a heading) are natural; long ones are copies.",
        f"{fix_command('SJ-D30')} takes the long ones out of the training text.",
    ),
    Code(
        "SJ-D31",
        "the training text repeats itself",
        "Licences, headers, navigation, or documents that came twice: they are learnt by heart and "
        "weigh too much (Lee et al., Deduplicating training data makes language models better, "
        "2022).",
        f"{fix_command('SJ-D31')} keeps the first of each long line.",
    ),
    Code(
        "SJ-D32",
        "a long stretch of the validation or test text stands in the training text, word by word",
        "A document that is in both, perhaps with other line breaks, so that no whole line shows "
        "it.",
        "Split by document.",
    ),
    Code(
        "SJ-D33",
        "tokens of the validation or test text that the vocabulary lacks",
        "Each is the unknown token. Perplexities with different vocabularies cannot be compared, "
        "and one with many unknown tokens is too good.",
        "Lower --data.min-count, or cut into subwords or characters; report the share.",
    ),
    Code(
        "SJ-D34",
        "labels or tags of the validation or test data that training has not",
        "A model says no label that it was not trained on: each such line is certainly wrong. "
        "Training and evaluation stop at the first of them.",
        "Correct the label, add training examples of it, or take the lines out of all files.",
    ),
    Code(
        "SJ-D35",
        "labels or tags have too few training examples",
        "Of fewer than 20, the twentieth part that is held out by default is not one example, so "
        "that nothing tells whether the label is learnt; in macro-F1 it weighs as much as any "
        "other.",
        "Add examples, or join the label with another one.",
    ),
    Code(
        "SJ-D36",
        "labels or tags of the validation or test data are mixed otherwise than those of training",
        "Pearson's chi-square test says whether that can be chance (below p = 0.001 it hardly is); "
        "labels with fewer than 5 expected are counted together. How far apart two mixtures are "
        "is the share of labels that would have to be others (half the sum of differences), and an "
        "accuracy can move by that much through the mixture alone: from 5 points on it is a "
        "warning. Tags of one text are no independent draws, so that for them the test sees a "
        "difference too readily.",
        "Split at random within each label, or report scores label by label.",
    ),
    Code(
        "SJ-D37",
        "labels or tags differ from another one in case or blanks alone",
        "Most often one class that was written in two ways. To the model they are two, and whoever "
        "says one for the other is wrong.",
        f"{fix_command('SJ-D37')} writes each as the training data most often has it.",
    ),
    Code(
        "SJ-D38",
        "sequences of tags break the scheme that the tags look like",
        "In bio (IOB2) a span begins with B and goes on with I, in bioes it ends with E or is a "
        "single S, in iob (IOB1) it begins with I, and with B only right after another of its "
        "kind. The scheme is the one that --model.tag-scheme says, or else the one that the fewest "
        "training sequences break, if four fifths keep it. With --model.tag-scheme a sequence that "
        "breaks it is never answered; without, spans are counted by a rule that takes any.",
        "Look at them with --show SJ-D38 and correct the tags.",
    ),
    Code(
        "SJ-D39",
        "tokens have more than one tag",
        "Who looks at a token alone can say one tag of it. The bound that this sets is what the "
        "neighbours must be read for; where it is near 100 %, a table of tokens does.",
        "Nothing is wrong. Report the score of the table (SJ-D20) beside that of a model.",
    ),
    Code(
        "SJ-D40",
        "recordings or arrays are not there, or cannot be read",
        "Names are relative to the file that they stand in. Training stops at the first of them.",
        "Correct the names, fetch what is missing, or train with --data.on-bad-line skip.",
    ),
    Code(
        "SJ-D41",
        "recordings differ in their sample rate, or arrays in their width",
        "The same sound at another rate has other features, and a model takes one width. Training "
        "stops at the first that is not like the first of all.",
        "Resample the recordings; make arrays of one width.",
    ),
    Code(
        "SJ-D42",
        "recordings are silent, or arrays never change",
        "No sample is beyond 0.001 of full scale (60 dB below the loudest possible), or all are "
        "the same: nothing can be heard, and a target can only be guessed. Often something failed "
        "before.",
        "Look at them with --show SJ-D42 and take them out, or record them anew.",
    ),
    Code(
        "SJ-D43",
        "targets are longer than their frames allow",
        "CTC says at most one token a step, and needs a blank between two that are alike. What "
        "does not fit has probability 0: nothing is learnt of it in training, and the loss leaves "
        "it out. Each layer above the first halves the steps with --model.pyramid.",
        "Fewer layers or no --model.pyramid, coarser target tokens, or --model.decoder attention.",
    ),
)
