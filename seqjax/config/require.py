"""What every setting is checked with."""


def require(holds: bool, name: str, constraint: str, got) -> None:
    """Raises ValueError, in the form of all such messages, unless the constraint holds."""
    if not holds:
        raise ValueError(f"{name} must be {constraint}, got {got}")
