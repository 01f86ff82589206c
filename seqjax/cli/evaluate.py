"""`seqjax evaluate`: measure a trained run."""

import json
from pathlib import Path
from typing import Any

from seqjax.build.data import build_data
from seqjax.cli.flags import EvaluateFlags, decode_config
from seqjax.cli.screen import PERCENT, Screen
from seqjax.conclude import Trained, evaluate, load
from seqjax.data.readers import Pairs, read_pairs, read_text
from seqjax.rundir import write_text


def run(flags: EvaluateFlags) -> int:
    """Runs the command; see `main` for exit codes."""
    trained = load(flags.run)
    search = decode_config(trained.config.decode, flags.search)
    data = _read(flags, trained)
    with Screen() as screen, screen.working("evaluating"):
        scores, decoded = evaluate(
            trained,
            data,
            decode=search,
            announce=screen.compiling,
            bleu_tokenizer=flags.bleu_tokenizer,
        )
    if decoded is not None and flags.output is not None:
        write_text(Path(flags.output), "".join(f"{a[0].text}\n" for a in decoded.answers))
    if flags.json:
        print(json.dumps(scores, ensure_ascii=False))
        return 0
    width = max(map(len, scores))
    for name, value in scores.items():
        print(f"{name:<{width}}  {_shown(name, value)}")
    return 0


def _read(flags: EvaluateFlags, trained: Trained) -> Any:
    """Data named on the command line; else what the run was validated on."""
    config = trained.config
    if config.task == "language-model":
        if flags.data:
            return read_text(flags.data[0], lowercase=config.data.lowercase)
        return build_data(config).valid
    if flags.data:
        data = config.data
        pairs = read_pairs(flags.data, on_bad_line=data.on_bad_line, lowercase=data.lowercase)
    else:
        pairs = build_data(config).valid
    return Pairs(pairs.sources[: flags.limit], pairs.targets[: flags.limit], pairs.skipped)


def _shown(name: str, value: Any) -> str:
    if name in PERCENT:
        return f"{100 * value:.2f} %"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
