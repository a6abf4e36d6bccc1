from __future__ import annotations

import numpy as np
import pytest

from training.errors import TrainingError
from training.sampling import identity_batches


def batches(labels, cameras=None, *, seed=0, steps=10, **sizes):
    labels = np.asarray(labels)
    cameras = np.full(len(labels), -1) if cameras is None else np.asarray(cameras)
    return list(identity_batches(labels, cameras, steps=steps, rng=np.random.default_rng(seed), **sizes))


def test_batches_hold_different_people_with_several_different_images_each():
    labels = np.repeat(np.arange(20), 6)
    for batch in batches(labels, num_identities=8, num_instances=4):
        people = labels[batch].reshape(8, 4)
        assert (people == people[:, :1]).all()
        assert len(set(people[:, 0])) == 8
        assert len(set(batch)) == 32


def test_everybody_comes_up_before_anybody_comes_again():
    labels = np.repeat(np.arange(20), 4)
    drawn = np.concatenate(batches(labels, num_identities=5, num_instances=2, steps=8))
    counts = np.bincount(labels[drawn[::2]])
    assert counts.tolist() == [2] * 20


def test_nobody_is_twice_in_a_batch_that_spans_two_rounds():
    labels = np.repeat(np.arange(5), 2)
    for batch in batches(labels, num_identities=4, num_instances=1, steps=50):
        assert len(set(labels[batch])) == 4


def test_noise_is_never_drawn():
    labels = np.array([-1, 0, 1, -1, 0, 1, -1, 2, 2])
    drawn = np.concatenate(batches(labels, num_identities=2, num_instances=3, steps=30))
    assert (labels[drawn] >= 0).all()
    assert set(labels[drawn]) == {0, 1, 2}


def test_different_cameras_come_first():
    labels = np.repeat([0, 1], 12)
    cameras = np.tile([0] * 8 + [1, 1, 2, 3], 2)
    for batch in batches(labels, cameras, num_identities=2, num_instances=4):
        for person in batch.reshape(2, 4):
            assert set(cameras[person]) == {0, 1, 2, 3}


def test_few_images_repeat_evenly():
    for batch in batches([0, 0, 1, 1, 1], num_identities=2, num_instances=4):
        of_person_0 = batch[batch < 2]
        assert np.bincount(of_person_0).tolist() == [2, 2]


def test_fewer_people_than_asked_for_keep_the_batch_size():
    for batch in batches([0, 0, 1, 1, 2, 2], num_identities=16, num_instances=4):
        assert len(batch) == 64
        assert set(batch) <= set(range(6))


def test_the_seed_decides_everything():
    labels = np.repeat(np.arange(9), 5)
    once, again, other = (np.concatenate(batches(labels, seed=seed)) for seed in (3, 3, 4))
    np.testing.assert_array_equal(once, again)
    assert (once != other).any()


@pytest.mark.parametrize("labels", [[], [-1, -1], [-1, 4, 4]])
def test_fewer_than_two_people_are_refused(labels):
    with pytest.raises(TrainingError, match="at least two are needed"):
        batches(np.array(labels, np.int64))
