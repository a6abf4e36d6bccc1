"""Using a trained generator: every source image translated once, and a sheet for the eye."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from numpy.lib.format import open_memmap
from PIL import Image

from training.devices import autocast
from training.files import new_array, write_atomically
from training.networks.generators import Generator
from training.progress import Reporter
from training.style_batches import Images, to_uint8, to_unit_range

_GAP = 2  # pixels between the images of a sheet


def translate(
    generator: Generator,
    images: Images,
    *,
    device: torch.device | str,
    bfloat16: bool = False,
    batch_size: int = 32,
    out: Path | None = None,
    reporter: Reporter,
) -> Images:
    """Translate every image once, in order, so that names and labels stay valid.

    Args:
        generator: G, source to target; moved to ``device``.
        images: uint8 RGB [N, H, W, 3], H and W multiples of 4; may be memory-mapped.
        device: where to compute.
        bfloat16: whether to use autocast.
        batch_size: images at a time.
        out: a ``.npy`` file to write to; it appears only when complete. ``None`` keeps the answer in memory.
        reporter: told of images done; may cancel between batches.

    Returns:
        uint8 [N, H, W, 3]; with ``out`` a read-only memory map of that file.

    Raises:
        TrainingError: ``out`` cannot be written.
    """
    generator.to(device)
    if out is None:
        translated = np.empty(images.shape, np.uint8)
        _fill(translated, images, generator, bfloat16=bfloat16, batch_size=batch_size, reporter=reporter)
        return translated
    partial = out.with_name(out.name + ".partial")
    try:
        mapped = new_array(partial, images.shape)
        _fill(mapped, images, generator, bfloat16=bfloat16, batch_size=batch_size, reporter=reporter)
        mapped.flush()
        del mapped
        partial.replace(out)
    finally:
        partial.unlink(missing_ok=True)
    return open_memmap(out, mode="r")


def memory_format(device: torch.device) -> torch.memory_format:
    """The layout in which convolutions run fastest: channels last on a GPU.

    On a CPU instance norm loses more to that layout than the convolutions gain (a tenth of a step).
    """
    return torch.contiguous_format if device.type == "cpu" else torch.channels_last


def translate_batch(generator: Generator, images: Images, *, bfloat16: bool = False) -> Images:
    """Translate uint8 RGB [N, H, W, 3] at once, where the generator is; same shape."""
    device = next(generator.parameters()).device
    with torch.inference_mode(), autocast(device, enabled=bfloat16):
        batch = to_unit_range(images, device).contiguous(memory_format=memory_format(device))
        return to_uint8(generator(batch))


def contact_sheet(source: Images, translated: Images, path: Path) -> None:
    """Write a picture for the eye: the source images in a row, each above its translation.

    Args:
        source: uint8 RGB [N, H, W, 3].
        translated: the same images translated, same shape.
        path: the image file (PNG); its folder is made if missing.
    """
    count, height, width, _ = source.shape
    sheet = np.full((2 * height + _GAP, count * (width + _GAP) - _GAP, 3), 255, np.uint8)
    for column, (above, below) in enumerate(zip(source, translated, strict=True)):
        left = column * (width + _GAP)
        sheet[:height, left : left + width] = above
        sheet[height + _GAP :, left : left + width] = below
    picture = io.BytesIO()
    Image.fromarray(sheet).save(picture, "PNG")
    write_atomically(path, picture.getvalue())


def _fill(
    translated: Images,
    images: Images,
    generator: Generator,
    *,
    bfloat16: bool,
    batch_size: int,
    reporter: Reporter,
) -> None:
    for start in range(0, len(images), batch_size):
        reporter.check_cancelled()
        stop = min(start + batch_size, len(images))
        translated[start:stop] = translate_batch(generator, images[start:stop], bfloat16=bfloat16)
        reporter.progress(stop, len(images))
