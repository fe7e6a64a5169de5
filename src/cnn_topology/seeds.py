"""Seeds derived from what an item is, never from job order or time."""

import hashlib


def derive_seed(*identity: str | int | float) -> int:
    """Derive a seed in [0, 2^63) from the parts that identify an item.

    Parameters
    ----------
    *identity : str, int or float
        For example ``(run seed, "network", population, number)``. Order and type matter: 1 and "1" differ.

    Returns
    -------
    int
        The same for the same identity on every machine and in every version of Python.
    """
    text = "\x1f".join(f"{type(part).__name__}:{part!r}" for part in identity)
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
