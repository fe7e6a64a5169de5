import numpy as np
from hypothesis import given
from hypothesis.extra.numpy import arrays

from cnn_topology.data.statistics import channel_statistics


@given(arrays(np.uint8, (3, 4, 5, 3)))
def test_they_are_the_mean_and_standard_deviation_per_channel(images):
    mean, sd = channel_statistics(images)
    pixels = images.reshape(-1, 3) / 255
    np.testing.assert_allclose(mean, pixels.mean(axis=0), atol=1e-12)
    np.testing.assert_allclose(sd, pixels.std(axis=0), atol=1e-12)


def test_a_constant_channel_has_no_deviation():
    mean, sd = channel_statistics(np.full((2, 3, 3, 1), 51, dtype=np.uint8))
    np.testing.assert_allclose(mean, [0.2])
    assert sd.tolist() == [0.0]
