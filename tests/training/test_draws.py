"""Random numbers of training follow from the seed and the step, by formulas that are checked one by one."""

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cnn_topology.training.draws import DROPOUT, LEFT, batch_indices, noisy_labels, uniform

WORD = 2**64 - 1


def mix(z: int) -> int:
    """Mix 64 bits as SplitMix64 does, in Python's unbounded integers."""
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return z ^ (z >> 31)


@given(seed=st.integers(0, 2**63 - 1), step=st.integers(0, 10**7), stream=st.integers(0, 3))
def test_uniform_numbers_are_splitmix_hashes(seed: int, step: int, stream: int) -> None:
    golden = 0x9E3779B97F4A7C15
    key = mix(seed ^ mix((4 * step + stream + 1) * golden & WORD))
    expected = [(mix((key + i * golden) & WORD) >> 40) / 2**24 for i in (1, 2, 3)]
    drawn = uniform(torch.tensor([5, seed]), torch.tensor(step), stream, 3)
    assert drawn[1].tolist() == expected


def test_uniform_numbers_are_spread_evenly_and_streams_are_unrelated() -> None:
    seeds = torch.tensor([11, 12])
    one = uniform(seeds, torch.tensor(0), DROPOUT, 100_000).double()
    other = uniform(seeds, torch.tensor(0), LEFT, 100_000).double()
    later = uniform(seeds, torch.tensor(1), DROPOUT, 100_000).double()
    counts = torch.histc(one[0], 100, 0, 1)
    assert ((counts - 1000).square() / 1000).sum() < 150  # chi-squared of 99 degrees: 150 in 1 of 1,000
    for x, y in ((one[0], one[1]), (one[0], other[0]), (one[0], later[0]), (one[0, 1:], one[0, :-1])):
        assert abs(torch.corrcoef(torch.stack([x, y]))[0, 1]) < 0.015


@settings(max_examples=50)
@given(size=st.integers(1, 40), batch=st.integers(1, 60), steps=st.integers(1, 12), cut=st.integers(0, 12))
def test_batches_follow_each_other_through_whole_epochs(size: int, batch: int, steps: int, cut: int) -> None:
    cut = min(cut, steps - 1)
    whole = batch_indices(7, size, batch, 0, steps)
    assert np.array_equal(batch_indices(7, size, batch, cut, steps - cut), whole[cut:])
    epochs = whole.ravel()[: whole.size // size * size].reshape(-1, size)
    assert np.array_equal(np.sort(epochs, axis=1), np.tile(np.arange(size), (len(epochs), 1)))


def test_every_epoch_and_every_seed_has_its_own_order() -> None:
    first, second = batch_indices(7, 100, 100, 0, 2)
    assert not np.array_equal(first, second)
    assert not np.array_equal(first, batch_indices(8, 100, 100, 0, 1)[0])


def test_label_noise_replaces_its_share_by_other_classes() -> None:
    labels = np.repeat(np.arange(10), 2_000)
    noisy = noisy_labels(labels, 10, 0.3, seed=5)
    changed = noisy != labels
    assert abs(changed.mean() - 0.3) < 0.01
    assert np.bincount((noisy - labels)[changed] % 10, minlength=10)[1:].min() > 500
    assert np.array_equal(noisy_labels(labels, 10, 0.0, seed=5), labels)
    assert np.array_equal(noisy_labels(labels, 10, 0.3, seed=5), noisy)
