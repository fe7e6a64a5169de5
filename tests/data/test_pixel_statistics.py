import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from cnn_topology.data.shapes import BLOCK, to_gray
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


@pytest.mark.parametrize("compute", [channel_statistics, to_gray])
def test_what_they_take_besides_a_large_set_is_little(compute):
    images = np.zeros((4_000, 16, 16, 3), dtype=np.uint8)
    tracemalloc.start()
    try:
        compute(images)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < images.nbytes


def test_images_of_all_blocks_count():
    images = np.zeros((2 * BLOCK + 4, 2, 2, 3), dtype=np.uint8)
    images[-4:] = 255
    mean, _ = channel_statistics(images)
    np.testing.assert_allclose(mean, 4 / len(images))
    np.testing.assert_array_equal(to_gray(images), images[..., :1])
