from __future__ import annotations

import pytest
import torch

from training.augmentation import IMAGENET_MEAN, IMAGENET_STD, augment, erase, flip, normalise, pad_crop


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def images():
    """64 images of 24 x 12 random pixels, none of them black."""
    return torch.randint(1, 256, (64, 24, 12, 3), dtype=torch.uint8, generator=generator(9))


def test_normalise_is_the_usual_formula_in_channels_last(images):
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (IMAGENET_MEAN, IMAGENET_STD))
    expected = (images.permute(0, 3, 1, 2).float() / 255 - mean) / std
    result = normalise(images)
    torch.testing.assert_close(result, expected)
    assert result.is_contiguous(memory_format=torch.channels_last)


def test_flip_mirrors_about_half_and_leaves_the_rest(images):
    result = flip(images, generator())
    mirrored = (result == images.flip(2)).all(dim=(1, 2, 3))
    kept = (result == images).all(dim=(1, 2, 3))
    assert (mirrored ^ kept).all()
    assert 16 < mirrored.sum() < 48


@pytest.mark.parametrize(("probability", "mirrored"), [(0.0, False), (1.0, True)])
def test_flip_probability(images, probability, mirrored):
    result = flip(images, generator(), probability)
    assert torch.equal(result, images.flip(2) if mirrored else images)


def test_pad_crop_shifts_every_image_by_its_own_offset(images):
    result = pad_crop(images, generator(), padding=3)
    offsets = set()
    for before, after in zip(images, result, strict=True):
        padded = torch.nn.functional.pad(before, (0, 0, 3, 3, 3, 3))
        found = [
            (top, left)
            for top in range(7)
            for left in range(7)
            if torch.equal(padded[top : top + 24, left : left + 12], after)
        ]
        assert len(found) == 1
        offsets.add(found[0])
    assert {top for top, _ in offsets} == {left for _, left in offsets} == set(range(7))


def test_pad_crop_of_nothing_changes_nothing(images):
    assert torch.equal(pad_crop(images, generator(), padding=0), images)


def test_erase_fills_one_rectangle_of_the_allowed_size_in_about_half():
    images = torch.ones(400, 3, 64, 32).contiguous(memory_format=torch.channels_last)
    result = erase(images, generator())
    erased = (result == 0).all(dim=1)
    touched = erased.flatten(1).any(dim=1)
    assert 150 < touched.sum() < 250
    for mask in erased[touched]:
        rows, columns = mask.any(dim=1), mask.any(dim=0)
        area, box = int(mask.sum()), int(rows.sum()) * int(columns.sum())
        assert area == box  # a full rectangle
        assert rows.nonzero().diff(dim=0).max() <= 1 if rows.sum() > 1 else True
        assert 0.01 < area / mask.numel() < 0.43  # rounding to whole pixels allowed for
    assert result.is_contiguous(memory_format=torch.channels_last)


def test_erase_reaches_every_place():
    images = torch.ones(2000, 1, 16, 8)
    ever_erased = (erase(images, generator(), probability=1.0) == 0).any(dim=0)
    assert ever_erased.all()


def test_erase_with_probability_0_changes_nothing():
    images = torch.ones(8, 3, 16, 8)
    assert torch.equal(erase(images, generator(), probability=0.0), images)


def test_augment_makes_different_views_and_repeats_them_by_seed(images):
    one, same, other = (augment(images, generator(seed)) for seed in (1, 1, 2))
    assert one.shape == (64, 3, 24, 12)
    assert one.dtype == torch.float32
    assert torch.equal(one, same)
    assert not torch.equal(one, other)


def test_augment_with_everything_off_is_normalisation(images):
    result = augment(images, generator(), flip_probability=0, padding=0, erasing_probability=0)
    assert torch.equal(result, normalise(images))


def test_inputs_are_left_alone(images):
    before = images.clone()
    augment(images, generator())
    assert torch.equal(images, before)
