from __future__ import annotations

import io
import random
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reid_desk.errors import ReidDeskError
from reid_desk.search import decode_image


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def pixels() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (40, 20, 3), dtype=np.uint8)


@pytest.mark.parametrize("kind", ["PNG", "BMP", "TIFF"])
def test_pixels_come_back_as_they_were(pixels: np.ndarray, kind: str) -> None:
    decoded = decode_image(encoded(Image.fromarray(pixels), kind))
    assert decoded.dtype == np.uint8
    assert np.array_equal(decoded, pixels)


def test_an_image_is_read_from_its_file(tmp_path: Path, pixels: np.ndarray) -> None:
    (tmp_path / "person.png").write_bytes(encoded(Image.fromarray(pixels)))
    assert np.array_equal(decode_image(tmp_path / "person.png"), pixels)


@pytest.mark.parametrize("mode", ["L", "LA", "RGBA", "P", "1", "CMYK", "I;16"])
def test_other_colour_modes_become_rgb(mode: str) -> None:
    image = Image.new(mode, (20, 40))
    decoded = decode_image(encoded(image, "TIFF"))
    assert decoded.shape == (40, 20, 3)
    assert decoded.dtype == np.uint8


def test_a_picture_taken_with_the_camera_on_its_side_is_put_upright(pixels: np.ndarray) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn by 90 degrees clockwise
    decoded = decode_image(encoded(Image.fromarray(pixels), "PNG", exif=exif))
    assert np.array_equal(decoded, np.rot90(pixels, -1))


@pytest.mark.parametrize(
    "content", [b"", b"rubbish" * 100, b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"]
)
def test_rubbish_is_refused_in_a_line(content: bytes) -> None:
    with pytest.raises(ReidDeskError, match="is damaged or no picture") as caught:
        decode_image(content)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "BMP", "WEBP"])
def test_damaged_pictures_are_refused_or_read_but_never_crash(pixels: np.ndarray, kind: str) -> None:
    whole = encoded(Image.fromarray(pixels), kind)
    chance = random.Random(1)
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.randint(1, 8)):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        try:
            decoded = decode_image(bytes(damaged[: chance.randrange(len(damaged))]))
        except ReidDeskError:
            continue
        assert decoded.ndim == 3


def test_a_picture_that_would_fill_the_memory_is_refused() -> None:
    bomb = encoded(Image.new("1", (20_000, 10_000)))
    with pytest.raises(ReidDeskError, match="too large"):
        decode_image(bomb)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(ReidDeskError, match=r"Cannot read .*nobody\.jpg"):
        decode_image(tmp_path / "nobody.jpg")
