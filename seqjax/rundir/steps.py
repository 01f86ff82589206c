"""`checkpoints/<step>/`: directories that are whole or damaged, and it can be told which.

A step is written into a hidden directory beside the others. When all its files are on disk,
`SEAL.json` is added with the size and the SHA-256 of each, and the directory gets its name. It
loses the name again, all at once, before it is removed: what has a name and no whole seal was
damaged.
"""

import json
import os
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from seqjax.errors import first_line
from seqjax.files import digest, parse_json, read_bytes, synchronise

SEAL = "SEAL.json"
FORMAT_VERSION = 1
"""Of a step directory; it changes when an older reader would misread a newer one."""
MOST_FILES = 1 << 16


class DamagedError(Exception):
    """A step that cannot be used; the message says of which file, and why, in a few words."""


class Steps(NamedTuple):
    """The step directories below `directory`. Only `begin` makes it."""

    directory: Path

    def numbers(self) -> list[int]:
        """Returns the steps that have a name, oldest first, damaged or not.

        Times of files play no part, and what is not named as a step is not looked at.
        """
        try:
            names = os.listdir(self.directory)
        except OSError:
            return []
        return sorted(int(name) for name in names if re.fullmatch(r"0|[1-9][0-9]{0,17}", name))

    def path(self, step: int) -> Path:
        return self.directory / str(step)

    def begin(self, step: int) -> Path:
        """Returns an empty hidden directory for the files of a step.

        Raises:
          OSError: If it cannot be made.
        """
        hidden = self.hidden(step)
        _remove(hidden)
        hidden.mkdir(parents=True)
        return hidden

    def hidden(self, step: int) -> Path:
        """Returns where the files of a step are put together."""
        return self._hidden(step, "new")

    def commit(self, step: int) -> None:
        """Seals what is in the hidden directory and gives it its name; a damaged namesake goes.

        Raises:
          OSError: If something cannot be written; the step has no name then.
        """
        hidden = self.hidden(step)
        names = sorted(os.listdir(hidden))
        sealed = {}
        for name in names:
            size, sha256 = digest(hidden / name)
            sealed[name] = {"bytes": size, "sha256": sha256}
        document = {"format_version": FORMAT_VERSION, "step": step, "files": sealed}
        with (hidden / SEAL).open("w", encoding="utf-8") as file:
            file.write(json.dumps(document, indent=2) + "\n")
            file.flush()
            os.fsync(file.fileno())
        synchronise(hidden)
        if os.path.lexists(self.path(step)):
            self.remove(step)
        os.rename(hidden, self.path(step))
        synchronise(self.directory)

    def abandon(self, step: int) -> None:
        """Removes what `begin` made, as far as it can be."""
        shutil.rmtree(self.hidden(step), ignore_errors=True)

    def verify(self, step: int) -> list[str]:
        """Returns the names of a step's files after reading all of them.

        Raises:
          DamagedError: If one is missing, a link, no regular file, or other than what was sealed.
        """
        home = self.path(step)
        if home.is_symlink() or not home.is_dir():
            raise DamagedError("it is no directory")
        sealed = self._seal(step)
        for name, (size, sha256) in sealed.items():
            path = home / name
            if path.is_symlink():
                raise DamagedError(f"{name} is a link")
            try:
                found = os.stat(path).st_size
                if found == size:
                    found, said = digest(path)
            except OSError as error:
                raise DamagedError(f"{name}: {error.strerror or error}") from None
            if found != size:
                raise DamagedError(f"{name} has {found:,} bytes of {size:,}")
            if said != sha256:
                raise DamagedError(f"{name} differs from its checksum")
        return list(sealed)

    def remove(self, step: int) -> None:
        """Takes a step its name away, and then its files.

        Raises:
          OSError: If it cannot be removed.
        """
        hidden = self._hidden(step, "old")
        _remove(hidden)
        os.rename(self.path(step), hidden)
        _remove(hidden)

    def prune(self, newest: int, keep: int) -> None:
        """Removes all steps but `newest`, which is whole, and the `keep - 1` before it.

        Steps after it belong to a training that was not gone on with.
        """
        past = [step for step in self.numbers() if step <= newest]
        for step in set(self.numbers()) - set(past[-keep:]):
            self.remove(step)

    def sweep(self) -> None:
        """Removes what a process left here that was killed while it wrote or removed a step."""
        if self.directory.is_dir():
            for name in os.listdir(self.directory):
                if re.fullmatch(r"\.[0-9]+\.(new|old)", name):
                    _remove(self.directory / name)

    def _hidden(self, step: int, kind: str) -> Path:
        return self.directory / f".{step}.{kind}"

    def _seal(self, step: int) -> dict[str, tuple[int, str]]:
        path = self.path(step) / SEAL
        if path.is_symlink():
            raise DamagedError(f"{SEAL} is a link")
        try:
            document = parse_json(read_bytes(path))
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else None
            raise DamagedError(f"{SEAL}: {reason or first_line(error)}") from None
        match document:
            case {"format_version": 1, "step": int(said), "files": dict(files)} if said == step:
                pass
            case _:
                raise DamagedError(f"{SEAL} is not that of step {step} in format {FORMAT_VERSION}")
        sealed = {}
        for name, said in files.items():
            if not re.fullmatch(r"[\w-][\w.-]*", name) or len(files) > MOST_FILES:
                raise DamagedError(f"{SEAL} names a file that cannot be one of a step's")
            match said:
                case {"bytes": int(size), "sha256": str(sha256)} if len(said) == 2:
                    sealed[name] = (size, sha256)
                case _:
                    raise DamagedError(f"{SEAL} does not give size and checksum of {name}")
        return sealed


def _remove(path: Path) -> None:
    """Removes whatever is there, if anything. A link is removed, not followed."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
