"""Reading the pictures that operators bring."""

from __future__ import annotations

import io
import warnings
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from reid_desk.errors import ReidDeskError

# Only decoders of plain pictures: some of Pillow's others start programs of their own.
FORMATS = ("JPEG", "PNG", "BMP", "GIF", "TIFF", "WEBP", "MPO")
MAXIMUM_PIXELS = 100_000_000  # 300 MB decoded; more is no still of a camera

# Pillow's own limit is a line on stderr, and not meant for operators; what is too large is refused in words.
warnings.simplefilter("ignore", Image.DecompressionBombWarning)


def decode_image(image: bytes | Path) -> npt.NDArray[np.uint8]:
    """Return a picture, upright, as uint8 RGB ``[H, W, 3]``.

    Args:
        image: its bytes, or its file.

    Raises:
        ReidDeskError: it cannot be read, is no picture, is damaged, or is far too large.
    """
    what = "The image" if isinstance(image, bytes) else str(image)
    content = image if isinstance(image, bytes) else _read(image)
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as opened:
            if opened.width * opened.height > MAXIMUM_PIXELS:
                raise ReidDeskError(
                    f"{what} is too large ({opened.width} x {opened.height}); cut out the person."
                )
            return np.array(ImageOps.exif_transpose(opened).convert("RGB"))
    except Image.DecompressionBombError as error:
        raise ReidDeskError(f"{what} is too large; cut out the person.") from error
    # What Pillow's decoders are known to raise over damaged files.
    except (
        OSError,
        ValueError,
        SyntaxError,
        EOFError,
        TypeError,
        IndexError,
        KeyError,
        OverflowError,
    ) as error:
        raise ReidDeskError(f"{what} is damaged or no picture; use a JPEG or PNG file.") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ReidDeskError(f"Cannot read {path}: {error.strerror}; check the path.") from error
