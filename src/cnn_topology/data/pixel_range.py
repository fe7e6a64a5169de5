"""Whether pixels use the range of 8 bits, and the line of NumPy that brings others to it."""

from collections.abc import Iterable

# An image set none of whose pixels reaches this share of white holds other values: 0 and 1, or 16 gray levels.
LEAST_SHARE = 1 / 8
# What usually is white: floats, then 8, 10, 12, 14 and 16 bits.
WHITES = (1, 255, 1_023, 4_095, 16_383, 65_535)

Number = int | float
Range = tuple[Number, Number]


def is_dark(high: Number) -> bool:
    """Whether pixels of which the largest is `high` would be nearly black in 8 bits."""
    return high <= 255 * LEAST_SHARE


def joined(ranges: Iterable[Range]) -> Range:
    """Compute the smallest and the largest of the values of several ranges."""
    lows, highs = zip(*ranges, strict=True)
    return min(lows), max(highs)


def same_scale(first: Range, second: Range) -> bool:
    """Whether values of two ranges are likely of one scale: shares of 1, few levels, 8 bits, more than these."""
    negative = min(first[0], second[0]) < 0
    return negative or _kind(first[1]) == _kind(second[1])


def _kind(high: Number) -> int:
    return sum((high > 1, not is_dark(high), high > 255))


def conversion(values: Range) -> str | None:
    """Return the NumPy expression, in words, that turns pixels `x` into 8 bits, and what it makes black and white.

    Parameters
    ----------
    values : (float, float)
        The smallest and the largest pixel of all images.

    Returns
    -------
    str or None
        None where all pixels are the same and not above 0: nothing is to be seen in them.
    """
    low, high = values
    black, white = min(low, 0.0), high
    if -1 <= low < 0 and high <= 1:
        black, white = -1, 1
    elif low >= 0:
        white = next((usual for usual in WHITES if LEAST_SHARE * usual < high <= usual), high)
    if black == white:
        return None
    # Floats: a small integer type would overflow.
    shifted = "x" if black == 0 else f"(x + {float(-black)!r})"
    extent = white - black
    scaled = (
        shifted if extent == 255 else f"255.0 * {shifted}" if extent == 1 else f"{shifted} * (255 / {_number(extent)})"
    )
    return (
        f"`numpy.rint({scaled}).astype(numpy.uint8)` in place of x makes {_number(black)} black and {_number(white)} "
        "white"
    )


def _number(value: Number) -> str:
    return repr(float(value)).removesuffix(".0")
