import numpy as np
import pytest

from suite.training import STREAMS, batch_indices, streams

SAMPLES, BATCH, STEPS = 23, 5, 11  # 4 whole batches an epoch, 3 samples left over


def test_names_and_seeds_give_streams_that_differ_and_repeat():
    draws = {
        (seed, name): np.random.default_rng(streams(seed)[name]).integers(1 << 62)
        for seed in (0, 1, 7)
        for name in STREAMS
    }
    assert len(set(draws.values())) == len(draws)
    again = np.random.default_rng(streams(7)["noise"]).integers(1 << 62)
    assert again == draws[7, "noise"]


def test_an_epoch_shows_no_sample_twice():
    batches = batch_indices(streams(0)["batches"], SAMPLES, BATCH, STEPS)
    assert batches.shape == (STEPS, BATCH) and batches.dtype == np.int32
    for first in range(0, STEPS, SAMPLES // BATCH):
        epoch = batches[first : first + SAMPLES // BATCH].ravel()
        assert len(set(epoch)) == len(epoch)
    assert (batches[:4] != batches[4:8]).any()


def test_every_sample_is_drawn_equally_often():
    steps = 4000
    for with_replacement in (False, True):
        batches = batch_indices(
            streams(1)["batches"], SAMPLES, BATCH, steps, with_replacement=with_replacement
        )
        counts = np.bincount(batches.ravel(), minlength=SAMPLES)
        expected = steps * BATCH / SAMPLES
        # Binomial spread (smaller without replacement); 5 of them, for 23 samples looked at.
        assert np.abs(counts - expected).max() < 5 * np.sqrt(expected)


def test_fewer_steps_are_a_prefix_of_more():
    short, long = (batch_indices(streams(2)["batches"], SAMPLES, BATCH, n) for n in (3, STEPS))
    np.testing.assert_array_equal(short, long[:3])


def test_a_batch_of_everything_keeps_the_order():
    batches = batch_indices(streams(0)["batches"], SAMPLES, SAMPLES, 2)
    np.testing.assert_array_equal(batches, [np.arange(SAMPLES)] * 2)
    assert batches.strides[0] == 0  # one row in memory, however many steps


@pytest.mark.parametrize("seed", [-1, 1.5, True, "3"])
def test_bad_seed_is_named(seed):
    with pytest.raises(ValueError, match=f"seed: .*{seed!r}"):
        streams(seed)
