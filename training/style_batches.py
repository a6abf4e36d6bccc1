"""What the networks of style transfer are shown: random views of both domains, and earlier translations."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

Images = NDArray[np.uint8]


def to_unit_range(images: Images, device: torch.device) -> Tensor:
    """Bring uint8 RGB [N, H, W, 3] to ``device`` as float32 [N, 3, H, W] in [-1, 1], channels last."""
    batch = torch.from_numpy(np.array(images))  # a copy: a memory map may not be written to
    if device.type == "cuda":
        batch = batch.pin_memory()
    batch = batch.to(device, non_blocking=True).permute(0, 3, 1, 2)
    return batch.float().div_(127.5).sub_(1)


def to_uint8(images: Tensor) -> Images:
    """The reverse of :func:`to_unit_range`, rounded: float [N, 3, H, W] to uint8 RGB [N, H, W, 3]."""
    values = images.float().add(1).mul(127.5).round().clamp(0, 255).to(torch.uint8)
    return np.ascontiguousarray(values.permute(0, 2, 3, 1).cpu().numpy())


def random_views(
    images: Tensor, *, height: int, width: int, jitter: float, generator: torch.Generator
) -> Tensor:
    """Enlarge by ``jitter``, crop at random, mirror every other one: all images in one bilinear sampling.

    Args:
        images: [N, 3, any height, any width].
        height: pixels of the views.
        width: likewise.
        jitter: enlargement, at least 1; a view shows 1 / jitter of each edge.
        generator: on the CPU; the same draws whatever the device.

    Returns:
        [N, 3, height, width], channels last.
    """
    draws = torch.rand(len(images), 3, generator=generator)
    shown = 1 / jitter
    shift = (2 * draws[:, :2] - 1) * (1 - shown)
    mirrored = torch.where(draws[:, 2] < 0.5, -shown, shown)
    transform = torch.zeros(len(images), 2, 3)
    transform[:, 0, 0], transform[:, 1, 1], transform[:, :, 2] = mirrored, shown, shift
    transform = transform.to(images.device, non_blocking=True)
    grid = F.affine_grid(transform, [len(images), 3, height, width], align_corners=False)
    views = F.grid_sample(images, grid, padding_mode="border", align_corners=False)
    return views.contiguous(memory_format=torch.channels_last)


class DomainOrder:
    """Which images of a domain each batch holds: every image once before any comes again.

    The order depends on the seed and the batch's number alone, so that a resumed run needs no state for it.

    Args:
        images: how many the domain has.
        batch_size: images a batch.
        seed: of this domain's order.
    """

    def __init__(self, images: int, batch_size: int, seed: int) -> None:
        self.images = images
        self.batch_size = batch_size
        self.seed = seed
        self._rounds: dict[int, NDArray[np.int64]] = {}

    def batch(self, number: int) -> NDArray[np.int64]:
        """Positions of the images in batch ``number``, int64 [batch_size]."""
        first = number * self.batch_size
        positions = np.arange(first, first + self.batch_size)
        orders = {number: self._round(number) for number in np.unique(positions // self.images).tolist()}
        self._rounds = orders
        return np.array([orders[p // self.images][p % self.images] for p in positions.tolist()])

    def _round(self, number: int) -> NDArray[np.int64]:
        if number in self._rounds:
            return self._rounds[number]
        return np.random.default_rng((self.seed, number)).permutation(self.images)


class ImagePool:
    """Earlier translations, so that a discriminator does not forget them (Shrivastava et al. 2017, CycleGAN).

    Args:
        size: images kept; 0 hands every batch through.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._kept: Tensor | None = None

    def exchange(self, images: Tensor, generator: torch.Generator) -> Tensor:
        """Swap about half of ``images`` for earlier ones; while the pool fills, keep and return them.

        Args:
            images: detached translations, [N, 3, H, W].
            generator: on the CPU.

        Returns:
            What the discriminator learns from, [N, 3, H, W].
        """
        if self.size == 0:
            return images
        images = images.float()
        filled = 0 if self._kept is None else len(self._kept)
        free = min(self.size - filled, len(images))
        if free:
            added = images[:free].clone()
            self._kept = added if self._kept is None else torch.cat([self._kept, added])
        return torch.cat([images[:free], self._swap(images[free:], generator)])

    def _swap(self, images: Tensor, generator: torch.Generator) -> Tensor:
        if self._kept is None or len(images) == 0:
            return images
        # Distinct places: with more images than the pool holds, the rest goes through.
        places = torch.randperm(len(self._kept), generator=generator)[: len(images)]
        chosen = torch.nonzero(torch.rand(len(places), generator=generator) < 0.5).flatten()
        places, chosen = places[chosen].to(images.device), chosen.to(images.device)
        answer = images.clone()
        answer[chosen] = self._kept[places]
        self._kept[places] = images[chosen]
        return answer

    def state_dict(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {"kept": self._kept}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave."""
        self._kept = state["kept"]
