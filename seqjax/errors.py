"""What a user did that cannot work, said in one line."""


class InputError(Exception):
    """Something the user gave cannot be used: a file, a line of it, a value, a run directory.

    The command line prints the message after `error: ` and leaves with exit code 2, without a
    traceback. The message is one line that names the place (path, line number), what was wrong with
    the value found there, and what to do about it.
    """


def first_line(error: BaseException) -> str:
    """Returns what another library's error says first, short enough to stand in a line of ours.

    >>> first_line(ValueError("bad header\\nat byte 3")), first_line(KeyError())
    ('bad header', 'KeyError')
    """
    lines = str(error).strip().splitlines()
    return lines[0][:160] if lines else type(error).__name__
