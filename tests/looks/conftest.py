"""A network whose layers a look tells apart."""

import numpy as np
import pytest
from layers_looked_at import circle, noise


@pytest.fixture(scope="module")
def weights() -> dict[str, np.ndarray]:
    """Return a network with a circle, a layer of noise, one of few filters, a dead one, and another kernel."""
    few, dead = noise(4, 2), np.ones((8, 4, 3, 3), dtype=np.float32)
    return {
        "module.stem.weight": np.random.default_rng(5).standard_normal((16, 3, 1, 7)).astype(np.float32),
        "module.layer1.conv.weight": circle(25),
        "module.layer2.conv.weight": noise(25),
        "module.layer3.conv.weight": few,
        "module.layer4.conv.weight": dead,
        "module.layer5.depthwise.weight": circle(25, 6, side=5).reshape(250, 1, 5, 5),
    }
