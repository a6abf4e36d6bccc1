from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from training import images as images_module
from training.datasets import Sample
from training.errors import Cancelled, DatasetError, TrainingError
from training.images import decode
from training.progress import Silent


class Recorder(Silent):
    def __init__(self):
        self.messages, self.steps = [], []

    def message(self, text, *, level="info"):
        self.messages.append((level, text))

    def progress(self, done, total):
        self.steps.append((done, total))


@pytest.fixture
def photos(tmp_path):
    """Ten photographs of different sizes; a list of samples with persons 0..9."""
    rng = np.random.default_rng(0)
    samples = []
    for number in range(10):
        size = (40 + 5 * number, 90 + 7 * number)
        coarse = Image.fromarray(rng.integers(0, 256, (6, 3, 3), np.uint8))
        path = tmp_path / "photos" / f"{number}.jpg"
        path.parent.mkdir(exist_ok=True)
        coarse.resize(size, Image.Resampling.BICUBIC).save(path, quality=95)
        samples.append(Sample(path, number, number % 2))
    return samples


def as_agreed(path: Path, height: int, width: int) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((width, height), Image.Resampling.BILINEAR))


def test_pixels_are_those_of_the_agreed_resizing(photos):
    store = decode(photos, 64, 32, None, Silent())
    expected = np.stack([as_agreed(sample.path, 64, 32) for sample in photos])
    assert store.images.dtype == np.uint8
    np.testing.assert_array_equal(store.images, expected)
    assert store.samples == tuple(photos)
    assert store.identities.tolist() == list(range(10))
    assert store.cameras.tolist() == [0, 1] * 5


def test_large_photographs_are_decoded_at_a_fraction_with_no_visible_difference(tmp_path):
    rng = np.random.default_rng(1)
    path = tmp_path / "large.jpg"
    coarse = Image.fromarray(rng.integers(0, 256, (16, 8, 3), np.uint8))
    coarse.resize((800, 1600), Image.Resampling.BICUBIC).save(path, quality=95)
    store = decode([Sample(path)], 128, 64, None, Silent())
    difference = store.images[0].astype(int) - as_agreed(path, 128, 64)
    assert np.abs(difference).mean() < 1.5


@pytest.mark.parametrize("mode", ["L", "RGBA", "P", "CMYK"])
def test_other_colour_modes_become_rgb(tmp_path, mode):
    path = tmp_path / ("image.tif" if mode == "CMYK" else "image.png")
    Image.new("RGB", (20, 40), (200, 30, 60)).convert(mode).save(path)
    assert decode([Sample(path)], 8, 4, None, Silent()).images.shape == (1, 8, 4, 3)


def test_cache_is_used_again(photos, tmp_path, monkeypatch):
    cache = tmp_path / "cache" / "target.npy"
    first = decode(photos, 64, 32, cache, Silent())
    monkeypatch.setattr(images_module, "_decode_one", lambda *_: pytest.fail("decoded again"))
    second = decode(photos, 64, 32, cache, Silent())
    np.testing.assert_array_equal(first.images, second.images)
    assert isinstance(second.images, np.memmap)
    assert not second.images.flags.writeable
    assert sorted(path.name for path in cache.parent.iterdir()) == ["target.json", "target.npy"]


@pytest.mark.parametrize("change", ["size", "time", "order", "contents"])
def test_stale_cache_is_made_anew(photos, tmp_path, change):
    cache = tmp_path / "target.npy"
    decode(photos, 64, 32, cache, Silent())
    height = 64
    if change == "size":
        height = 48
    elif change == "time":
        os.utime(photos[0].path, (1, 1))
    elif change == "order":
        photos.reverse()
    else:
        Image.new("RGB", (10, 10)).save(photos[0].path)
    recorder = Recorder()
    store = decode(photos, height, 32, cache, recorder)
    assert recorder.steps == [(10, 10)]
    np.testing.assert_array_equal(store.images[0], as_agreed(photos[0].path, height, 32))


def test_truncated_cache_is_made_anew(photos, tmp_path):
    cache = tmp_path / "target.npy"
    decode(photos, 64, 32, cache, Silent())
    cache.write_bytes(cache.read_bytes()[:2000])
    assert len(decode(photos, 64, 32, cache, Silent()).images) == 10


@pytest.mark.parametrize("cached", [True, False])
def test_broken_images_are_named_and_left_out(photos, tmp_path, cached):
    photos[1].path.write_bytes(b"")
    photos[3].path.write_bytes(b"no image at all")
    whole = photos[8].path.read_bytes()
    photos[8].path.write_bytes(whole[: len(whole) // 2])
    photos[9].path.unlink()
    cache = tmp_path / "target.npy" if cached else None
    for _ in range(2):
        recorder = Recorder()
        store = decode(photos, 64, 32, cache, recorder)
        assert store.identities.tolist() == [0, 2, 4, 5, 6, 7]
        for row, sample in zip(store.images, store.samples, strict=True):
            np.testing.assert_array_equal(row, as_agreed(sample.path, 64, 32))
        assert [level for level, _ in recorder.messages] == ["warning"] * 4
        assert "1.jpg is empty" in store.problems[0]
        assert "3.jpg is no image" in store.problems[1]
        assert "8.jpg cannot be read" in store.problems[2]
        assert "9.jpg cannot be read (No such file" in store.problems[3]


def test_many_broken_images_are_counted_not_listed(tmp_path):
    good = tmp_path / "good.png"
    Image.new("RGB", (4, 4)).save(good)
    broken = [tmp_path / f"{number}.jpg" for number in range(30)]
    for path in broken:
        path.touch()
    samples = [Sample(good)] * 30 + [Sample(path) for path in broken]
    problems = decode(samples, 4, 4, None, Silent()).problems
    assert len(problems) == 21
    assert problems[-1] == "10 more images were left out"


@pytest.mark.parametrize("cached", [True, False])
def test_mostly_broken_images_are_an_error(photos, tmp_path, cached):
    for sample in photos[:6]:
        sample.path.write_bytes(b"")
    with pytest.raises(DatasetError, match="6 of 10 images cannot be read"):
        decode(photos, 64, 32, tmp_path / "c.npy" if cached else None, Silent())


def test_no_images_is_an_error():
    with pytest.raises(DatasetError, match="no images"):
        decode([], 64, 32, None, Silent())


@pytest.mark.skipif(not hasattr(os, "posix_fallocate"), reason="needs posix_fallocate")
def test_full_disk_is_said_beforehand(photos, tmp_path, monkeypatch):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(TrainingError, match="No space left on device"):
        decode(photos, 64, 32, tmp_path / "cache" / "target.npy", Silent())
    assert not list((tmp_path / "cache").iterdir())


def test_cancelling_leaves_no_half_written_file(photos, tmp_path):
    class Impatient(Silent):
        def check_cancelled(self):
            raise Cancelled

    cache = tmp_path / "cache" / "target.npy"
    with pytest.raises(Cancelled):
        decode(photos, 64, 32, cache, Impatient())
    assert list(cache.parent.iterdir()) == []
