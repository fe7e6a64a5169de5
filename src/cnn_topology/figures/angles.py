"""One form for Klein coordinates: a patch has several pairs (theta1, theta2), figures draw the one in a fixed square.

The patch sin(theta2) (cos(theta1) x + sin(theta1) y) + cos(theta2) Q(cos(theta1) x + sin(theta1) y) is the same at
(theta1 + pi, theta2) and (theta1, -theta2), as Q is even (weights paper, section 6): that identification is the Klein
bottle.
"""

import numpy as np
from jaxtyping import Float


def fundamental(
    theta1: Float[np.ndarray, " points"], theta2: Float[np.ndarray, " points"]
) -> tuple[Float[np.ndarray, " points"], Float[np.ndarray, " points"]]:
    """Bring coordinates, in radians, to the square 0 <= theta1 < pi, 0 <= theta2 < 2 pi."""
    half_turns = np.floor(theta1 / np.pi)
    sign = np.where(half_turns % 2 == 0, 1.0, -1.0)
    return theta1 - half_turns * np.pi, np.mod(sign * theta2, 2 * np.pi)


def edge_angle(
    theta1: Float[np.ndarray, " points"], theta2: Float[np.ndarray, " points"]
) -> Float[np.ndarray, " points"]:
    """Return the direction, 0 to 2 pi, in which the linear part of a patch rises; a line's is known up to pi only."""
    half, phase = fundamental(theta1, theta2)
    return half + np.pi * (phase > np.pi)
