"""What flags of several commands must be."""


def at_least_one(name: str, value: int | None) -> None:
    """Raises ValueError if a count is given and counts nothing."""
    if value is not None and value < 1:
        raise ValueError(f"{name} must be at least 1, got {value}")
