"""What the checks of files, and of pairs of texts, are named: SJ-D01 to SJ-D28."""

from seqjax.codes import Code


def fix_command(code: str) -> str:
    """Returns the command that mends a finding."""
    return f"seqjax inspect --data ... --fix {code} --out DIR"


OF_PAIRS = (
    Code(
        "SJ-D01",
        "lines cannot be used",
        "A pair needs two texts with one tab between them, neither of them empty, in UTF-8; where "
        "targets are tags, as many as the source has tokens. "
        "Training stops at the first line that has not. One broken line is a slip; thousands of "
        "them mean that the columns, the separator or the encoding are not what was assumed.",
        "Mend the lines, or train with --data.on-bad-line skip. "
        f"{fix_command('SJ-D01')} leaves them out.",
    ),
    Code(
        "SJ-D02",
        "pairs of the test data stand in the training data too",
        "What was learnt by heart counts as generalisation, and the score is too good by an "
        "unknown amount.",
        f"Take them out of the training data: {fix_command('SJ-D02')}. Taking them out of the test "
        "data would make its scores incomparable with those of others.",
    ),
    Code(
        "SJ-D03",
        "pairs of the validation data stand in the training data too",
        "Training stops, and keeps the weights, by the validation data: if it was learnt by heart, "
        "over-fitting is not seen.",
        f"Take them out of the training data: {fix_command('SJ-D03')}.",
    ),
    Code(
        "SJ-D04",
        "sources of the validation or test data are nearly sources of the training data",
        "They differ in case or punctuation alone, in one word, or (where texts are words) in up "
        "to three characters after four that are the same, as inflected forms do: walk, walked, "
        "walking. A random split then measures how well neighbours are copied. Whether that is a "
        "fault depends on the use: with new words of a language it is, with new forms of known "
        "words it is not.",
        "Split by lemma, document or author in place of by line. "
        f"{fix_command('SJ-D04')} takes the neighbours, which may be many, out of train.",
    ),
    Code(
        "SJ-D05",
        "sources of the validation or test data have other targets in the training data",
        "Training teaches an answer that is then counted as wrong. Either the source is ambiguous, "
        "or one of the two is an error.",
        "Keep all targets of a source in one split, or several references of each. "
        f"{fix_command('SJ-D05')} takes such sources out of the training data.",
    ),
    Code(
        "SJ-D06",
        "pairs look as if their sides did not belong together: one is far too long for the other",
        "Lines that slipped, sentences that were cut, or a summary among translations; of "
        "recordings, speech far slower or faster than the rest. A few of them cost little, but "
        "they teach to stop early or to go on for ever.",
        f"Look at them with --show SJ-D06; {fix_command('SJ-D06')} leaves them out of all files.",
    ),
    Code(
        "SJ-D07",
        "target symbols are too rare to be learnt",
        "A symbol seen a few times gets no probability worth speaking of. Often it is a slip of "
        "the pen (a Latin letter among Cyrillic ones, a phone that does not exist).",
        "Correct or merge them, raise --data.min-count so that they become the unknown token, or "
        "add examples.",
    ),
    Code(
        "SJ-D08",
        "pairs are longer than --data.max-source or --data.max-target",
        "They are left out of training, or learnt with the beginning of their sources "
        "(--data.long-sources cut). Of validation, test and whatever else is answered, the first "
        "--data.max-source tokens are read; taggers, and models of aligned pairs, read all.",
        "Raise the limits (cost grows with the longest texts alone), or cut the texts.",
    ),
    Code(
        "SJ-D09",
        "validation or test data have symbols that training never shows",
        "A target symbol that is not in the vocabulary can never be said, so that each such line "
        "is certainly wrong; a source symbol is read as the unknown token.",
        "Add pairs that have them, normalise the texts, or cut into smaller tokens "
        "(--data.target-tokens chars or subwords).",
    ),
    Code(
        "SJ-D10",
        "texts are not in Unicode normal form C",
        "The same letter is written in two ways (é as one code point, or as e and an accent). They "
        "look alike, and are different symbols to the model, to exact match and to this survey.",
        f"Normalise all texts: {fix_command('SJ-D10')}; do so to what is decoded later, too.",
    ),
    Code(
        "SJ-D11",
        "files are not plain UTF-8 with LF",
        "A byte order mark, or lines that end in CR LF. Both are dropped when files are read here, "
        "but other tools keep them, and the last token of each line is then another one.",
        f"{fix_command('SJ-D11')} writes LF and no mark.",
    ),
    Code(
        "SJ-D12",
        "texts hold characters that are not to be seen",
        "Zero-width and control characters, soft hyphens, no-break spaces, blanks before or after "
        "the text. To a model of characters each is a symbol of its own; in exact match, an answer "
        "that looks right is wrong.",
        f"{fix_command('SJ-D12')} takes them out and makes all blanks plain ones. (No-break spaces "
        "before French punctuation are good typography: keep them if they are wanted.)",
    ),
    Code(
        "SJ-D13",
        "sources have more than one target",
        "Who must give one answer cannot be right about all of them: that bounds exact match, and "
        "the loss stays above the entropy of the choice. The bound is the share of pairs whose "
        "target is the most frequent one of their source.",
        "Report the bound beside the score. Where texts are answered with texts, `seqjax evaluate` "
        "counts an answer as right if it is any of the targets of its source, to which the bound "
        "does not apply.",
    ),
    Code(
        "SJ-D14",
        "pairs stand in a file more than once",
        "They weigh as often as they stand there. That may be meant (over-sampling, natural "
        "frequency) or come from files that were joined twice.",
        f"{fix_command('SJ-D14')} keeps the first of each.",
    ),
    Code(
        "SJ-D15",
        "targets repeat their source unchanged",
        "In translation a sentence that was never translated; a few per cent of them are enough to "
        "make a model copy (Ott et al., 2018, and Khayrallah and Koehn, 2018).",
        f"{fix_command('SJ-D15')} leaves them out. Keep them where copying is an answer.",
    ),
    Code(
        "SJ-D16",
        "targets repeat a token, or two or three, four times and more in a row",
        "Boilerplate, broken extraction or the output of another model. A model learns to loop.",
        f"Look at them with --show SJ-D16; {fix_command('SJ-D16')} leaves them out. Keep them "
        "where repeating is the task.",
    ),
    Code(
        "SJ-D17",
        "texts are in another script than their side of the data",
        "Most often lines of another language, or columns that changed places.",
        f"Look at them with --show SJ-D17; {fix_command('SJ-D17')} leaves them out.",
    ),
    Code(
        "SJ-D18",
        "two files of pairs differ in their number of lines",
        "Line n of one must go with line n of the other. One line too many in the middle shifts "
        "all that follow, and every pair after it is wrong.",
        "Find where they part (look at the first pairs of --show SJ-D06) and restore the line. "
        "This cannot be mended by itself.",
    ),
    Code(
        "SJ-D19",
        "the tokens do not suit the texts",
        "Texts without blanks that are cut at blanks are one token each, and then an answer is a "
        "choice among the training targets; phones with blanks between them that are cut into "
        "characters make targets three times as long.",
        "Set --data.source-tokens and --data.target-tokens to chars, words or subwords.",
    ),
    Code(
        "SJ-D20",
        "an answer that needs no model is often right",
        "The most frequent target, the source itself, or what training had for the same source. A "
        "model must beat the best of them, by more than chance, before it has shown anything.",
        "Report them beside the score. Where one is very good, a network may not be needed.",
    ),
    Code(
        "SJ-D21",
        "much of a batch would be padding",
        "Texts of unequal length share a batch, which is as long as the longest of them; each "
        "position is computed, token or not.",
        "Allow more shapes (--data.buckets; each is compiled once), or leave out the few longest "
        "pairs (--data.max-source, --data.max-target).",
    ),
    Code(
        "SJ-D22",
        "whether target and source go in the same order",
        "Sides that go in step (spelling to phones, transliteration, inflection) suit attention "
        "that moves on, and small models; sides that do not (translation) need attention that "
        "looks anywhere. Found with IBM model 1: of the links that are more likely than not, "
        "the share that cross each other: 0 is the same order, 1/2 none, 1 the "
        "reverse.",
        "Nothing is wrong. Choose --model.attention by it.",
    ),
    Code(
        "SJ-D23",
        "how much of a target stands in its source",
        "Where tokens that the vocabulary lacks can be copied from the source, a decoder that "
        "copies can say what no other can.",
        "--model.copying where the share of unknown target tokens that stand in their source is "
        "worth it.",
    ),
    Code(
        "SJ-D24",
        "the data to judge by is small",
        "A share found on n examples is only known to within ±1.96 √(p(1-p)/n), at p = 1/2 about "
        "±1/√n. Two models closer than that cannot be told apart.",
        "Hold out more, judge by tokens in place of whole answers, and give intervals.",
    ),
    Code(
        "SJ-D25",
        "validation or test texts are longer than any in training",
        "Recurrent models rarely go on rightly beyond the lengths they were trained with. If that "
        "is the question of the split, it is no fault.",
        "Have training pairs of all lengths, or report the score by length.",
    ),
    Code(
        "SJ-D26",
        "pairs of the test data stand in the validation data too",
        "What is chosen by the validation data is then chosen by the test data.",
        f"{fix_command('SJ-D26')} takes them out of the validation data.",
    ),
    Code(
        "SJ-D27",
        "texts were broken by a wrong encoding",
        "Ã© for é is UTF-8 that was read as Windows-1252; U+FFFD stands for what could not be read "
        "at all.",
        f"Fetch the data again. {fix_command('SJ-D27')} restores what can be restored and leaves "
        "out what holds U+FFFD.",
    ),
    Code(
        "SJ-D28",
        "texts hold marks that look like special tokens or markup: <unk>, </s>, &amp;",
        "They are text like any other here: a literal <unk> is an ordinary token, and learnt. "
        "Perplexities over texts whose rare words were replaced by <unk> are too good.",
        "Remove the marks, or know that they count.",
    ),
)
