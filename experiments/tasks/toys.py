"""Built-in data: nothing is read, and each has a test split of its own."""

from experiments.tasks.record import Measured


def _built_in(data: str, model: str, flags: str, metrics: dict[str, str]) -> Measured:
    return Measured(data, model, None, flags, metrics)


_SEQ2SEQ = "BiLSTM, attention, LSTM"
_READING = "two BiLSTM layers over aligned letters, no decoder"
_ALIGNED = "--model.decoder aligned --data.max-chunk 4 --model.encoder-layers 2"
_FEW = "--data.examples 1000 --data.batch-size 16 --epochs 20"
TOYS = {
    "dates": _built_in(
        "dates in 17 languages",
        _SEQ2SEQ,
        "--preset dates",
        {"exact_match": "none for these dates", "token_error_rate": ""},
    ),
    "dates-rules": _built_in(
        "dates in 17 languages",
        "hand-written rules",
        "--preset dates --model.kind rules",
        {"exact_match": "none for these dates"},
    ),
    "sort": _built_in(
        "strings of up to 16 letters, sorted",
        _SEQ2SEQ,
        "--preset sort",
        {"exact_match": "none for these strings", "token_error_rate": ""},
    ),
    "addition": _built_in(
        "sums of numbers of up to 3 digits",
        _SEQ2SEQ,
        "--preset addition",
        {"exact_match": "99 (Keras, addition_rnn: LSTM of 128, reversed)", "token_error_rate": ""},
    ),
    "numbers": _built_in(
        "numbers of up to 9 digits in words, groups held out",
        _SEQ2SEQ,
        "--preset numbers",
        {"exact_match": "none for these numbers", "token_error_rate": ""},
    ),
    "numbers-rules": _built_in(
        "numbers of up to 9 digits in words, groups held out",
        "hand-written rules",
        "--preset numbers --model.kind rules",
        {"exact_match": "none for these numbers"},
    ),
    **{
        f"inflection{name}": _built_in(
            f"forms of Turkish nouns never seen, {examples} to learn from",
            model,
            f"--preset inflection {flags}".strip(),
            {"exact_match": "none for these nouns", "token_error_rate": ""},
        )
        for name, examples, model, flags in (
            ("", "10,000", _SEQ2SEQ, ""),
            ("-plain", "10,000", "BiLSTM, LSTM, without attention", "--model.attention none"),
            ("-aligned", "10,000", _READING, _ALIGNED),
            ("-few", "1,000", _SEQ2SEQ, _FEW),
            ("-few-aligned", "1,000", _READING, f"{_ALIGNED} {_FEW}"),
            ("-rules", "none", "hand-written rules", "--model.kind rules"),
        )
    },
    "copy-memory": _built_in(
        "copy memory, T = 100",
        "forward LSTM of 256, chrono biases",
        "--preset copy_memory",
        {
            "span_f1": "12.5 by chance",
            "loss": "0.173 who recalls nothing, 10 ln 8 / (T + 20) (Arjovsky et al. 2016)",
            "exact_match": "",
        },
    ),
    "adding": _built_in(
        "adding problem, 50 steps",
        "LSTM",
        "--preset adding",
        {"mean_squared_error": "0.167 who always says 1 (Hochreiter & Schmidhuber 1997)"},
    ),
    "adding-long": _built_in(
        "adding problem, 100 steps",
        "LSTM",
        "--preset adding --data.min-length 100 --data.max-length 100",
        {"mean_squared_error": "0.167 who always says 1 (Hochreiter & Schmidhuber 1997)"},
    ),
    "adding-usual": _built_in(
        "adding problem, 50 steps",
        "the mean of training",
        "--preset adding --model.kind usual",
        {"mean_squared_error": "0.167 who always says 1 (Hochreiter & Schmidhuber 1997)"},
    ),
    "adding-plain": _built_in(
        "adding problem, 50 steps",
        "plain RNN, tanh",
        "--preset adding --model.cell rnn",
        {"mean_squared_error": "0.167 who always says 1 (Hochreiter & Schmidhuber 1997)"},
    ),
    **{
        f"parts{name}": _built_in(
            "parts of dates in 17 languages, a tag for each character",
            model,
            f"--preset parts {flags}".strip(),
            {"accuracy": "none for these dates", "exact_match": "", "span_f1": ""},
        )
        for name, model, flags in (
            ("", "BiLSTM", ""),
            ("-crf", "BiLSTM, CRF", "--model.crf"),
            ("-forward", "forward LSTM", "--model.direction forward"),
            ("-usual", "the usual tag of each character", "--model.kind usual"),
        )
    },
    "morse": _built_in(
        "Morse code, words of up to 4 letters",
        "BiLSTM, pyramid, CTC",
        "--preset morse",
        {"exact_match": "none for these recordings", "character_error_rate": ""},
    ),
    "images": _built_in(
        "pictures of digits in words",
        _SEQ2SEQ,
        "--preset images",
        {"exact_match": "none for these words", "token_error_rate": ""},
    ),
}
