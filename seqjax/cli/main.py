"""The `seqjax` command. It imports a command's module, and with it JAX, only when that is run."""

import importlib.metadata
import io
import os
import signal
import sys

from seqjax.errors import InputError

COMMANDS = {
    "train": "train a model, or go on with a training that was interrupted",
    "evaluate": "measure a trained run on data it has not seen",
    "decode": "answer each line of a file or of standard input",
    "generate": "let a model of language or music go on from a prompt",
    "predict": "give each line of a file or of standard input its label, its tags or a number",
    "features": "write what a model makes of texts, for another one to read",
    "inspect": "tell what a run is, or what is in data before there is a run",
    "explain": "tell what a code such as SJ-D04 means, and what to do about it",
    "average": "make a run of the mean weights of several, or of the last checkpoints",
    "doctor": "check this installation: versions, devices, a canary computation",
    "bench": "time what is ours beside what is others'",
}

EXAMPLES = {
    "train": """\
  seqjax train --preset dates                                      built-in data, a few minutes
  seqjax train --preset short --train cmudict.tsv                  lines of source<TAB>target
  seqjax train --preset sentences --train a.en a.de --valid b.en b.de
  seqjax train --task language-model --train text.txt
  seqjax train --preset dates --model.hidden-size 512 --epochs 20 --run-dir runs/large
The same command again goes on where the training was interrupted.""",
    "evaluate": """\
  seqjax evaluate runs/dates
  seqjax evaluate runs/dates --data test.tsv --json
  seqjax evaluate runs/dates --data test.tsv --beam-size 10 --output answers.txt""",
    "decode": """\
  echo "en March 3, 1999" | seqjax decode runs/dates
  seqjax decode runs/dates --input sources.txt --beam-size 10 --n-best 3 --scores
  seqjax decode runs/dates --input sources.txt --output jsonl""",
    "generate": """\
  seqjax generate runs/docs --prompt "The function returns"
  seqjax generate runs/docs --prompt "A list" --n-best 3 --temperature 0.7 --top-p 0.9 --seed 1
  seqjax generate runs/docs --prompt "A list" --method beam --no-repeat-ngram 3
  echo "60+64+67 59+62+67" | seqjax generate runs/chords --max-length 16""",
    "predict": """\
  echo "3. März 1999" | seqjax predict runs/languages --n-best 3 --probs
  seqjax predict runs/parts --input texts.txt --json""",
    "features": """\
  seqjax features runs/languages --input texts.txt --output texts.npy
  seqjax features runs/docs --pool steps --output states.npz --input texts.txt""",
    "inspect": """\
  seqjax inspect runs/dates
  seqjax inspect runs/dates --json
  seqjax inspect --data train.tsv --valid valid.tsv --test test.tsv --preset short
  seqjax inspect --data train.en train.de --valid valid.en valid.de --show SJ-D06
  seqjax inspect --data train.tsv --valid valid.tsv --fix SJ-D01,SJ-D03 --out clean
  seqjax inspect --task language-model --data train.txt --valid valid.txt --json
  seqjax inspect --task classify --data train.tsv --valid valid.tsv --test test.tsv
  seqjax inspect --task transcribe --data train.tsv --model.decoder ctc""",
    "explain": """  seqjax explain SJ-D04
  seqjax explain""",
    "average": """\
  seqjax average runs/dates --last 2 --output runs/dates-mean
  seqjax average runs/seed0 runs/seed1 --output runs/soup""",
    "doctor": """\
  seqjax doctor
  seqjax doctor --json""",
    "bench": """\
  seqjax bench recurrent
  seqjax bench recurrent --size 64x50x512 --runs 15 --json
  seqjax bench gpu --json""",
}

HELP = "\n".join(
    [
        "usage: seqjax COMMAND [FLAGS]",
        "",
        "Recurrent sequence models: text to text, models of language and music, classifiers,",
        "taggers.",
        "",
        "commands:",
        *(f"  {name:<10} {line}" for name, line in COMMANDS.items()),
        "",
        "examples:",
        "  seqjax train --preset dates",
        "  seqjax evaluate runs/dates",
        '  echo "en March 3, 1999" | seqjax decode runs/dates',
        "",
        "seqjax COMMAND --help tells a command's flags, seqjax --version the version.",
    ]
)


def main(argv: list[str] | None = None) -> int:
    """Runs one command and returns its exit code.

    Args:
      argv: The words after `seqjax`; by default those of the process.

    Returns:
      0 if all went well, 2 if the user gave something that cannot be used (one line on standard
      error says what), 130 if interrupted, 141 if the reader of our output went away, and else what
      the command returns.
    """
    _speak_utf8()
    try:
        code = _dispatch(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()  # here, where a reader that went away can still be noticed
        return code
    except InputError as error:
        print("error:", " ".join(str(error).split("\n")), file=sys.stderr)  # a path may be odd
        return 2
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # What is left in the buffer would be tried again, and complained about, at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    finally:
        if argv is None:  # of a process that goes down nothing is left to interrupt but Python
            signal.signal(signal.SIGINT, signal.SIG_DFL)


def _speak_utf8() -> None:
    """Makes the standard streams UTF-8, with "\\n" alone ending a line, whatever the locale."""
    for stream, errors in (
        (sys.stdin, "strict"),
        (sys.stdout, "strict"),
        (sys.stderr, "backslashreplace"),
    ):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors=errors, newline="\n")


def _dispatch(tokens: list[str]) -> int:
    command, *rest = tokens or ["--help"]
    if command in ("-h", "--help", "help"):
        print(HELP)
        return 0
    if command in ("-V", "--version"):
        print(f"seqjax {importlib.metadata.version('seqjax')}")
        return 0
    from seqjax.cli.reading import did_you_mean

    if command not in COMMANDS:
        hint = did_you_mean(command, {name: name for name in COMMANDS}) or "; see seqjax --help"
        raise InputError(f"unknown command {command!r}{hint}")
    if "-h" in rest or "--help" in rest:
        return _help(command)
    return _run(command, rest)


def _help(command: str) -> int:
    from seqjax.cli import flags
    from seqjax.cli.reading import print_help

    kinds = {
        "train": flags.TrainFlags,
        "evaluate": flags.EvaluateFlags,
        "decode": flags.DecodeFlags,
        "generate": flags.GenerateFlags,
        "predict": flags.PredictFlags,
        "features": flags.FeaturesFlags,
        "inspect": flags.InspectFlags,
        "explain": flags.ExplainFlags,
        "average": flags.AverageFlags,
        "doctor": flags.DoctorFlags,
        "bench": flags.BenchFlags,
    }
    print(f"examples:\n{EXAMPLES[command]}\n")
    print_help(kinds[command], f"seqjax {command}")
    return 0


def _run(command: str, tokens: list[str]) -> int:
    """Reads the flags first: a slip of the pen is answered before JAX is imported."""
    from seqjax.cli import flags
    from seqjax.cli.reading import read_flags
    from seqjax.train.allocator import keep_freed_memory
    from seqjax.train.exactness import ask_for_exactness

    keep_freed_memory()

    match command:
        case "train":
            arguments = flags.train_flags(tokens)
            if arguments.deterministic:
                ask_for_exactness()
            from seqjax.cli import train

            return train.run(arguments)
        case "evaluate":
            arguments = read_flags(flags.EvaluateFlags, tokens)
            from seqjax.cli import evaluate

            return evaluate.run(arguments)
        case "decode":
            arguments = read_flags(flags.DecodeFlags, tokens)
            from seqjax.cli import decode

            return decode.run(arguments)
        case "generate":
            arguments = read_flags(flags.GenerateFlags, tokens)
            from seqjax.cli import generate

            return generate.run(arguments)
        case "predict":
            arguments = read_flags(flags.PredictFlags, tokens)
            from seqjax.cli import predict

            return predict.run(arguments)
        case "features":
            arguments = read_flags(flags.FeaturesFlags, tokens)
            from seqjax.cli import features

            return features.run(arguments)
        case "inspect":
            arguments = flags.inspect_flags(tokens)
            from seqjax.cli import inspect

            return inspect.run(arguments)
        case "explain":
            arguments = read_flags(flags.ExplainFlags, tokens)
            from seqjax.cli import explain

            return explain.run(arguments)
        case "average":
            arguments = read_flags(flags.AverageFlags, tokens)
            from seqjax.cli import average

            return average.run(arguments)
        case "doctor":
            arguments = read_flags(flags.DoctorFlags, tokens)
            from seqjax.cli import doctor

            return doctor.run(arguments)
        case _:
            arguments = read_flags(flags.BenchFlags, tokens)
            from seqjax.cli import bench

            return bench.run(arguments)
