"""Logistic regression on what a trained network, left as it is, makes of the sentences of SST-2.

    SEQJAX_DATA=... python -m experiments.probe probe-sentiment RUN --pool max

Its penalty is chosen on dev, and the test set is measured once; the row goes to `results/`.
"""

import argparse
import datetime
import os
import time
from pathlib import Path
from typing import get_args

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from experiments.rows import RESULT_COLUMNS, RESULTS, append_rows, commit
from experiments.tasks.probes import PROBES
from seqjax.build.model import count_params
from seqjax.predict.features import Pool
from seqjax.runs.trained import load_network

PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0)
"""Scikit-learn's C, of features that have mean 0 and spread 1."""


def probe(name: str, run: str, pool: Pool, data: Path) -> dict:
    """Returns the row of a probe."""
    started = time.monotonic()
    trained = load_network(run)
    features, labels = {}, {}
    for split in ("train", "dev", "test"):
        lines = (data / "sst" / f"sst_binary_{split}.tsv").read_text(encoding="utf-8").splitlines()
        texts, labels[split] = zip(*(line.split("\t") for line in lines), strict=True)
        features[split] = np.stack(trained.features(texts, pool))

    def fitted(penalty: float):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=2_000))
        return model.fit(features["train"], labels["train"])

    models = {penalty: fitted(penalty) for penalty in PENALTIES}
    on_dev = {c: model.score(features["dev"], labels["dev"]) for c, model in models.items()}
    best = max(on_dev, key=on_dev.__getitem__)
    print(*(f"C {c}: {100 * score:.1f} % of dev" for c, score in on_dev.items()), sep="\n")
    return {
        "data": name,
        "seed": trained.config.seed,
        "metric": "accuracy",
        "value": round(float(models[best].score(features["test"], labels["test"])), 4),
        "published": "",
        "examples": len(labels["test"]),
        "parameters": count_params(trained.params),
        "minutes": round((time.monotonic() - started) / 60, 2),
        "load": round(os.getloadavg()[1], 1),
        "best_step": 0,
        "command": f"experiments.probe {name} --pool {pool}, C {best}",
        "date": datetime.date.today().isoformat(),
        "commit": commit(),
    }


def main() -> None:
    """Reads the command line; see the module."""
    parser = argparse.ArgumentParser(description="Measures what features are good for.")
    parser.add_argument("name", choices=PROBES)
    parser.add_argument("run", help="run directory of the network")
    parser.add_argument("--pool", choices=get_args(Pool)[1:], default="mean")
    arguments = parser.parse_args()
    data = os.environ.get("SEQJAX_DATA")
    if not data or not Path(data).is_dir():
        raise SystemExit("error: SEQJAX_DATA must be a folder with the data sets")
    row = probe(arguments.name, arguments.run, arguments.pool, Path(data))
    append_rows(RESULTS / f"{arguments.name}.csv", RESULT_COLUMNS, [row])
    print(f"{row['data']}: accuracy {row['value']}")


if __name__ == "__main__":
    main()
