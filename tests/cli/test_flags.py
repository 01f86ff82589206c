"""The command line: what is given counts, what is wrong is answered in one line."""

import dataclasses
import re
import signal
import subprocess
import sys
import typing

import pytest

from seqjax.cli import doctor
from seqjax.cli.flags import (
    AverageFlags,
    BenchFlags,
    DecodeFlags,
    DoctorFlags,
    EvaluateFlags,
    ExplainFlags,
    FeaturesFlags,
    GenerateFlags,
    InspectFlags,
    PredictFlags,
    SearchFlags,
    TrainFlags,
    decode_config,
    train_flags,
)
from seqjax.cli.main import COMMANDS, EXAMPLES, main
from seqjax.cli.reading import known_flags, read_flags
from seqjax.config import Config, DecodeConfig
from seqjax.errors import InputError
from seqjax.presets import PRESETS
from seqjax.rundir import create_run

KINDS = {
    "train": TrainFlags,
    "evaluate": EvaluateFlags,
    "decode": DecodeFlags,
    "generate": GenerateFlags,
    "predict": PredictFlags,
    "features": FeaturesFlags,
    "inspect": InspectFlags,
    "explain": ExplainFlags,
    "doctor": DoctorFlags,
    "bench": BenchFlags,
    "average": AverageFlags,
}


def settings(*tokens) -> Config:
    return train_flags(list(tokens)).settings


# What is given counts


def test_without_flags_a_config_is_its_defaults():
    assert settings() == Config(run_dir="runs/dates")


def test_every_kind_of_value_arrives():
    config = settings(
        *("--steps", "30", "--model.dropout=0.5", "--model.no-tied-embeddings", "--data.lowercase"),
        *("--model.direction", "forward"),
        *("--train", "a.en", "a.de", "--valid=b.en", "b.de", "--optimizer.name", "sgd"),
        *("--decode.length-penalty", "-0.5", "--run-dir", "here/", "--model.hidden_size", "7"),
    )
    assert config.steps == 30
    assert config.model.dropout == 0.5
    assert config.model.tied_embeddings is False
    assert config.data.lowercase is True
    assert config.train == ("a.en", "a.de")
    assert config.valid == ("b.en", "b.de")
    assert config.optimizer.name == "sgd"
    assert config.decode.length_penalty == -0.5
    assert config.run_dir == "here"
    assert config.model.hidden_size == 7


def test_a_flag_given_twice_has_its_last_value():
    assert settings("--seed", "1", "--seed", "2").seed == 2


def test_an_optional_value_can_be_taken_back():
    assert PRESETS["docs"].epochs is not None
    assert settings("--preset", "docs", "--epochs", "None").epochs is None


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_a_value_and_nothing_else(name):
    given = train_flags(["--preset", name, "--train", "x"])
    expected = dataclasses.replace(PRESETS[name], train=("x",), run_dir=f"runs/{name}")
    assert given == TrainFlags(preset=name, settings=expected)


def test_flags_win_over_a_config_file_and_that_over_a_preset(tmp_path):
    run = create_run(tmp_path)
    run.write_config(Config(seed=11, steps=5))
    tokens = ["--steps", "6", "--config", str(run.config), "--preset", "docs"]
    config = settings(*tokens)
    assert (config.seed, config.steps, config.task) == (11, 6, "text-to-text")
    assert PRESETS["docs"].task == "language-model"


def test_a_setting_that_fits_the_preset_alone_is_accepted():
    # On the defaults, which name no end, this schedule would be refused.
    assert settings("--preset", "dates", "--optimizer.schedule", "linear").epochs is not None


def test_a_preset_is_of_its_own_task():
    assert settings("--preset", "docs", "--task", "language-model").task == "language-model"
    with pytest.raises(InputError, match="--preset docs is of language-model, got --task classify"):
        settings("--preset", "docs", "--task", "classify")


def test_a_language_model_starts_from_its_own_preset():
    expected = dataclasses.replace(PRESETS["docs"], seed=3, run_dir="runs/docs")
    assert settings("--task", "language-model", "--seed", "3") == expected


@pytest.mark.parametrize(
    ("tokens", "run_dir"),
    [
        (("--train", "data/pairs.train.tsv.gz"), "runs/pairs.train"),
        (("--train", "a.en", "a.de"), "runs/a"),
        (("--data.embedded", "copy"), "runs/copy"),
        (("--preset", "short", "--train", "a.tsv"), "runs/short"),
        (("--preset", "dates", "--run-dir", "x/y"), "x/y"),
    ],
)
def test_a_run_is_named_after_what_it_learns(tokens, run_dir):
    assert settings(*tokens).run_dir == run_dir


def test_cudnn_goes_with_biases_for_long_memories():
    assert (
        settings("--model.unroll", "cudnn", "--model.longest-memory", "9").model.unroll == "cudnn"
    )


def test_search_flags_replace_what_they_name_in_the_config_of_the_run():
    flags = read_flags(DecodeFlags, ["runs/x", "--beam-size", "9", "--length-penalty", "0"])
    assert flags.runs == ("runs/x",)
    config = DecodeConfig(n_best=3, no_repeat_ngram=4)
    expected = dataclasses.replace(config, beam_size=9, length_penalty=0.0)
    assert decode_config(config, flags.search) == expected
    assert decode_config(config, SearchFlags()) == config


def test_search_flags_that_do_not_fit_the_run_are_refused():
    flags = read_flags(DecodeFlags, ["runs/x", "--n-best", "7"])
    assert decode_config(DecodeConfig(beam_size=8), flags.search).n_best == 7
    with pytest.raises(InputError, match="n_best must be at most decode.beam_size"):
        decode_config(DecodeConfig(beam_size=5), flags.search)


def test_generation_draws_unless_told_otherwise():
    flags = read_flags(GenerateFlags, ["r", "--prompt=-x", "--temperature", "0.5", "--top-k", "3"])
    assert flags.prompt == "-x"
    config = decode_config(DecodeConfig(method="sample"), flags.search)
    assert (config.method, config.temperature, config.top_k) == ("sample", 0.5, 3)


def test_a_run_may_stand_after_the_files():
    flags = read_flags(EvaluateFlags, ["--data", "a", "b", "runs/x", "--json"])
    assert flags == EvaluateFlags(runs=("runs/x",), data=("a", "b"), json=True)


# What is wrong is answered in one line

MISTAKES = [
    ("train --model.dropout 1.5", "model.dropout must be in [0, 1), got 1.5"),
    ("train --model.dropout x", "--model.dropout must be a finite number, got 'x'"),
    ("train --model.dropout nan", "--model.dropout must be a finite number, got 'nan'"),
    ("train --decode.length-penalty inf", "--decode.length-penalty must be a finite number, got"),
    ("train --steps 1.5", "--steps must be an integer, got '1.5'"),
    ("train --steps -3", "steps must be at least 1, got -3"),
    ("train --steps", "--steps needs a value"),
    ("train --train", "--train needs a value"),
    ("train --run-dir -x", "--run-dir needs a value; to give it -x, write --run-dir=-x"),
    ("train --train a b c", "nothing takes 'c' after --train; see --help"),
    (
        "train --preset dats",
        f"--preset must be one of {', '.join(PRESETS)}, got 'dats', did",
    ),
    ("train --preset short", "--preset short has no built-in data; give --train FILE"),
    ("train --config nowhere.json", "nowhere.json: cannot be read (No such file or directory)"),
    ("train --overwrite=yes", "--overwrite takes no value, got 'yes'; there is a --no- form"),
    ("train --overwrite yes", "nothing takes 'yes' after --overwrite; see --help"),
    ("train --optimizer.schedule linear", "optimizer.schedule must be constant, inverse_sqrt,"),
    ("train --modle.hiden-size 5", "unknown flag --modle.hiden-size, did you mean --model.hidden-"),
    ("train --hidden-size 5", "unknown flag --hidden-size, did you mean --model.hidden-size?"),
    ("train --zzz 5", "unknown flag --zzz; see --help"),
    ("train -x", "unknown flag -x; see --help"),
    ("trian", "unknown command 'trian', did you mean train?"),
    ("--zzz", "unknown command '--zzz'; see seqjax --help"),
    ("decode", "runs is missing; give it right after the command"),
    ("decode --beem-size 5 r", "unknown flag --beem-size, did you mean --beam-size?"),
    ("decode r --beam-size 0", "decode.beam_size must be at least 1, got 0"),
    (
        "decode r --output txt",
        "--output must be one of text, tokens, jsonl, got 'txt', did you mean",
    ),
    ("generate r --top-p 2", "decode.top_p must be in (0, 1], got 2.0"),
    ("generate r --n-best 0", "decode.n_best must be at least 1, got 0"),
    ("generate r s", "nothing takes 's'; see --help"),
    ("decode r --repetition-penalty 0", "decode.repetition_penalty must be positive, got 0.0"),
    ("decode r --no-repeat-ngram -1", "decode.no_repeat_ngram must be at least 0, got -1"),
    ("decode r --beam-size 4 --beam-groups 0", "decode.beam_groups must be at least 1, got 0"),
    ("decode r --diversity -1", "decode.diversity must be at least 0, got -1.0"),
    ("decode r --patience 0", "decode.patience must be positive, got 0.0"),
    ("decode r --min-p 1", "decode.min_p must be in [0, 1), got 1.0"),
    ("decode r --language-weight -1", "language_weight must be at least 0, got -1.0"),
    ("decode r --keep 0", "keep must be at least 1, got 0"),
    ("decode r --targets t --prefix p", "targets must be left out with prefix and require, got"),
    ("decode r --stream --require p", "stream must be left out with require, got both"),
    ("train --seed -1", "seed must be in [0, 2 ** 32), got -1"),
    ("train --run-dir=", "run_dir must be not empty, got ''"),
    ("train --valid v.tsv", "valid must be left out without files to train on (train), got v.tsv"),
    ("decode r --seed 4294967296", "decode.seed must be in [0, 2 ** 32), got 4294967296"),
    ("evaluate r --limit 0", "limit must be at least 1, got 0"),
    ("inspect", "run directories or --data must be given, got neither"),
    ("inspect r --data d", "run directories or --data must be given, got both"),
    ("inspect r --fix SJ-D01 --out o", "fix must be left out without --data"),
    ("inspect --data d --fix SJ-D01", "fix and out must be given together, got one of them"),
    ("inspect --data a b c", "run directories or --data must be given, got both"),
    (
        "train --model.cell gru --model.lstm-variant coupled",
        "model.lstm_variant must be standard when model.cell is gru, got coupled",
    ),
    (
        "train --model.cell lstn",
        "--model.cell must be one of lstm, gru, gru_reset_before, mgu,",
    ),
    (
        "train --model.cell min_gru --model.unroll fused",
        "model.unroll must be one of auto, scan, parallel when model.cell is min_gru, got fused",
    ),
    (
        "train --model.zoneout 0.1 --model.unroll fused",
        "model.unroll must be one of auto, scan when model.cell is lstm and model.zoneout is on",
    ),
    (
        "train --model.projection-size 8 --model.attention dot",
        "model.attention must be neither dot nor scaled_dot when model.projection_size is given",
    ),
    (
        "train --model.projection-size 8 --model.bridge copy",
        "model.bridge must be another when model.projection_size is given and model.direction is",
    ),
    (
        "train --model.cell gru --model.unroll cudnn",
        "model.unroll must be one of auto, scan, fused when model.cell is gru, got cudnn",
    ),
    (
        "train --model.zoneout 0.1 --model.unroll cudnn",
        "model.unroll must be one of auto, scan when model.cell is lstm and model.zoneout is on",
    ),
    (
        "train --model.unroll cudnn --model.lstm-variant coupled",
        "model.lstm_variant must be standard when model.unroll is cudnn, got coupled",
    ),
    (
        "train --model.unroll cudnn --model.projection-size 8",
        "model.projection_size must be None when model.unroll is cudnn, got 8",
    ),
    (
        "train --model.unroll cudnn --model.layer-norm",
        "model.layer_norm must be False when model.unroll is cudnn, got True",
    ),
    (
        "train --model.unroll cudnn --model.state-dropout 0.1",
        "model.state_dropout must be 0.0 when model.unroll is cudnn, got 0.1",
    ),
    (
        "train --model.unroll cudnn --model.connection-dropout 0.1",
        "model.connection_dropout must be 0.0 when model.unroll is cudnn, got 0.1",
    ),
    (
        "train --model.unroll cudnn --model.keep-every 3",
        "model.keep_every must be None when model.unroll is scan or cudnn, or model.zoneout is on",
    ),
    (
        "train --model.upper-cell gru",
        "model.upper_cell must be None when no layer stands on another (model.encoder_layers, ",
    ),
    (
        "train --model.decoder-layers 2 --model.cell gru --model.upper-cell mgu --model.layer-norm",
        "model.layer_norm must be False when model.cell is gru and model.upper_cell is mgu, got Tr",
    ),
    (
        "train --model.decoder-layers 2 --model.upper-cell min_gru --model.unroll fused",
        "model.unroll must be one of auto, scan when model.cell is lstm and model.upper_cell is",
    ),
    (
        "train --model.decoder-layers 2 --model.upper-cell gru --model.bridge copy",
        "model.bridge must be another when model.upper_cell is another and the encoder has one lay",
    ),
    (
        "train --model.decoder-layers 2 --model.upper-cell gru --model.projection-size 8"
        " --model.direction forward --model.attention dot",
        "model.attention must be neither dot nor scaled_dot when model.projection_size is given an",
    ),
    (
        "train --model.unroll scan --model.keep-every 8",
        "model.keep_every must be None when model.unroll is scan or cudnn, or model.zoneout is",
    ),
    (
        "train --model.freeze-vectors",
        "model.freeze_vectors must be False when neither model.source_vectors nor model.target_ve",
    ),
    (
        "train --task language-model --model.source-vectors x",
        "model.source_vectors must be left at None for language-model, which has no use for it",
    ),
    (
        "train --model.copying --data.target-tokens words",
        "data.target_tokens must be data.source_tokens (chars), and not subwords, when model.",
    ),
    (
        "train --model.copying --objective.label-smoothing 0.1",
        "objective.label_smoothing must be 0 when model.copying is on",
    ),
    (
        "train --model.copying --objective.z-loss 1e-4",
        "objective.z_loss must be 0 when model.copying is on (its logits are log-probabilities al",
    ),
    (
        "train --objective.label-smoothing-kind others",
        "objective.label_smoothing_kind must be left at uniform when objective.label_smoothing is ",
    ),
    (
        "train --objective.scheduled-sampling-steps 9",
        "objective.scheduled_sampling_steps must be left at 0 when objective.scheduled_sampling is",
    ),
    (
        "train --task language-model --objective.risk-weight 0.5",
        "objective.risk_weight must be left at 0.0 for language-model, which has no use for it",
    ),
    ("train --objective.risk-cost bleu", "objective.risk_cost must be left at edit when objective"),
    (
        "train --objective.risk-weight 1 --objective.risk-candidates 1",
        "objective.risk_candidates must be at least 2, or 1 with objective.risk_reference, got 1",
    ),
    (
        "train --model.copying --objective.teacher runs/a",
        "objective.teacher must be left out when model.copying is on (what it says is not of one",
    ),
    (
        "train --objective.teacher runs/a --objective.scheduled-sampling 0.5",
        "objective.scheduled_sampling must be 0 when objective.teacher is given, who reads the tr",
    ),
    (
        "train --objective.teacher-weight 0.9",
        "objective.teacher_weight must be left at 0.5 when objective.teacher is off, got 0.9",
    ),
    (
        "train --objective.sequence-unlikelihood 1 --objective.sequence-unlikelihood-length 9",
        "objective.sequence_unlikelihood_length must be left at 50 for text-to-text, which has no ",
    ),
    ("train --objective.change-weight -1", "objective.change_weight must be at least 0, got -1"),
    ("train --model.embedding-dropout 1", "model.embedding_dropout must be in [0, 1), got 1.0"),
    (
        "train --model.copying --model.pyramid",
        "model.copying must be False when model.pyramid is on",
    ),
    (
        "train --model.context-gate both --model.attention none",
        "model.context_gate must be none when model.attention is none, got both",
    ),
    (
        "train --objective.coverage-weight 1 --model.attention none",
        "objective.coverage_weight must be 0 when model.attention is none, got 1.0",
    ),
    (
        "train --task language-model --objective.scheduled-sampling 0.5",
        "objective.scheduled_sampling must be left at 0.0 for language-model, which has no use ",
    ),
    (
        "train --model.same-dropout --objective.scheduled-sampling 0.1",
        "model.same_dropout must be False when objective.scheduled_sampling is on, got True",
    ),
    ("train --model.longest-memory 2", "model.longest_memory must be at least 3, got 2"),
    (
        "bench recurent",
        "benchmark must be one of recurrent, seq2seq, decode, memory, growth, alloc",
    ),
    ("bench recurrent --size 3x", "size must be like 64x50x512, got '3x'"),
    ("bench growth --size 1x2x3", "size must be left out of growth, got '1x2x3'"),
    ("bench decode", "run and input must be given for decode"),
    ("bench memory --run r", "run must be left out of memory"),
    ("bench decode --run r --input i --opennmt m", "opennmt must be a Python and a model, got m"),
    ("doctor --jsn", "unknown flag --jsn, did you mean --json?"),
]


@pytest.mark.parametrize(("line", "message"), MISTAKES, ids=[line for line, _ in MISTAKES])
def test_a_mistake_is_one_line_and_exit_code_2(line, message, capsys):
    assert main(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"error: {message}")
    assert err.count("\n") == 1


def test_an_odd_path_still_makes_one_line(capsys):
    assert main(["train", "--config", "two\nlines"]) == 2
    assert (
        capsys.readouterr().err == "error: two lines: cannot be read (No such file or directory)\n"
    )


# Help


def test_help_lists_every_command(capsys):
    assert main(["--help"]) == 0
    text = capsys.readouterr().out
    assert main([]) == 0
    assert capsys.readouterr().out == text
    for name in KINDS:
        assert re.search(rf"^  {name} +\w", text, re.MULTILINE)
    assert set(COMMANDS) == set(EXAMPLES) == set(KINDS)


@pytest.mark.parametrize("command", KINDS)
def test_help_and_reader_know_the_same_flags(command, capsys):
    assert main([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("examples:\n  ")
    options = re.findall(r"^│ (-.*)$", text, re.MULTILINE)
    shown = {flag for line in options for flag in re.findall(r"--[\w.-]+", line.split("  ")[0])}
    assert shown - {"--help"} == set(known_flags(KINDS[command]))


@pytest.mark.parametrize("command", KINDS)
def test_examples_are_command_lines_that_are_understood(command, monkeypatch):
    lines = [line.split("    ")[0] for line in EXAMPLES[command].split("\n")]
    lines = [line.partition("seqjax ")[2] for line in lines if "seqjax " in line]
    assert lines
    for line in lines:
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)]
        assert words[0] == command
        kind = KINDS[command]
        flags = train_flags(words[1:]) if kind is TrainFlags else read_flags(kind, words[1:])
        assert type(flags) is kind


def test_every_preset_can_be_named():
    hint = typing.get_type_hints(TrainFlags)["preset"]
    assert set(typing.get_args(typing.get_args(hint)[0])) == set(PRESETS)


# The process


def test_a_slip_of_the_pen_or_a_question_wakes_no_jax():
    program = (
        "import sys\n"
        "from seqjax.cli.main import main\n"
        "codes = [main(words.split()) for words in ('--help', '--version', 'train --help',"
        " 'train --stps 3', 'decode')]\n"
        "assert codes == [0, 0, 0, 2, 2], codes\n"
        "import seqjax.config, seqjax.presets, seqjax.rundir, seqjax.cli.flags\n"
        "assert 'jax' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_general_help_does_not_wait_for_tyro_or_numpy():
    program = (
        "import sys\n"
        "from seqjax.cli.main import main\n"
        "main(['--help'])\n"
        "assert not {'tyro', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, capture_output=True)


def test_a_list_of_patterns_takes_all_words_and_files_are_two():
    given = settings("--optimizer.freeze", "a", "b/*", "c", "--train", "d", "e")
    assert given.optimizer.freeze == ("a", "b/*", "c") and given.train == ("d", "e")
    with pytest.raises(InputError, match="nothing takes 'f' after --train"):
        settings("--train", "d", "e", "f")


def test_streams_are_utf8_in_any_locale():
    program = (
        "import sys\n"
        "from seqjax.cli.main import main\n"
        "main(['train', '--help'])\n"
        "sys.stdout.write(sys.stdin.read())\n"
    )
    result = subprocess.run(
        [sys.executable, "-X", "utf8=0", "-c", program],
        env={"LC_ALL": "C", "PYTHONIOENCODING": "latin-1", "PATH": ""},
        input="ü\r\u2028\n".encode(),
        check=True,
        capture_output=True,
    )
    assert "─" in result.stdout.decode("utf-8")
    assert result.stdout.endswith("ü\r\u2028\n".encode())


def test_a_reader_that_goes_away_is_no_error():
    process = subprocess.Popen(
        [sys.executable, "-m", "seqjax", "train", "--help"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait() == 141


def test_an_interrupt_is_quiet(monkeypatch, capsys):
    def interrupt(arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(doctor, "run", interrupt)
    assert main(["doctor"]) == 130
    assert capsys.readouterr() == ("", "")


def test_an_interrupt_is_quiet_while_the_process_goes_down():
    program = (
        "import atexit, os, signal, sys\n"
        "from seqjax.cli.main import main\n"
        "atexit.register(os.kill, os.getpid(), signal.SIGINT)\n"
        "sys.argv = ['seqjax', '--version']\n"
        "sys.exit(main())\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, check=False)
    assert (result.returncode, result.stderr) == (-signal.SIGINT, b"")


def test_the_version_is_that_of_the_package(capsys):
    assert main(["--version"]) == 0
    assert re.fullmatch(r"seqjax \d+\.\d+\.\d+\S*\n", capsys.readouterr().out)
