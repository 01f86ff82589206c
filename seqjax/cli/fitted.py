"""What commands do with baselines: some of their flags are of networks alone."""

from collections.abc import Sequence

from seqjax.cli.flags import BesideFlags, SearchFlags
from seqjax.errors import InputError
from seqjax.predict.answer import Answer, Request
from seqjax.runs.fitted import Fitted
from seqjax.runs.trained import Trained
from seqjax.tasks.task import ASKED_BY


def networks(runs: Sequence[Trained | Fitted]) -> list[Trained]:
    """Returns runs that answer together.

    Raises:
      InputError: If one of them is a baseline.
    """
    found = []
    for run in runs:
        if isinstance(run, Fitted):
            raise InputError(
                f"{run.run.path}: is of model.kind {run.config.model.kind}, which answers alone"
            )
        found.append(run)
    return found


def refuse_searches(run: Fitted, search: SearchFlags, beside: BesideFlags) -> None:
    """Raises InputError if a search is to be another: a baseline has its own."""
    given = [name for name, value in vars(search).items() if value is not None]
    usual = vars(BesideFlags())
    given += [name for name, value in vars(beside).items() if value != usual[name]]
    if given:
        raise InputError(
            f"{run.run.path}: --{given[0].replace('_', '-')} is of networks; leave it out with "
            f"{run.config.model.kind}"
        )


class Alone:
    """A baseline that answers texts with texts; what a `Panel` is of encoder-decoders."""

    def __init__(self, run: Fitted):
        """Args:
        run: What was fitted.

        Raises:
          InputError: If it gives no texts.
        """
        if run.config.task != "text-to-text":
            raise InputError(
                f"{run.run.path}: is a {run.config.task} run, which gives no texts; use seqjax "
                f"{ASKED_BY[run.config.task]}"
            )
        self._answer, self._weights = run.answer_fn(), run.weights

    def __call__(self, requests: Sequence[str | Request], *, first: int = 0) -> list[list[Answer]]:
        """Returns the one answer to each source."""
        return self._answer(self._weights, requests, first=first)

    def cuts(self, text: str) -> bool:
        """Returns whether a source is cut, which none is."""
        return False
