"""The generators of SPGAN: an image in, the same image with the look of the other domain out."""

from __future__ import annotations

from typing import Literal, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from training.colour import ColourMap
from training.networks.style_layers import InstanceNorm, initialise

# Pure black and white would need an infinite change: atanh is taken of the image scaled by this.
_HEADROOM = 0.99


class Generator(nn.Module):
    """CycleGAN's ResNet generator (section 3.1.1; Johnson et al. 2016 with reflection padding).

    Two halvings, residual blocks, two doublings, tanh; instance norm without learnt scale throughout.

    Args:
        blocks: residual blocks between the halvings and the doublings.
        filters: channels of the first layer; the blocks have four times as many.
        residual: the output is tanh(atanh(colour(x)) + change); the change starts at 0 and the colour map is
            the identity until :meth:`start_from` sets it. A run of a few hundred iterations need not learn to
            copy an image: CycleGAN's own generator (``False``), which starts from noise, is still blurred and
            grey after as many.
    """

    colour_matrix: Tensor
    colour_offset: Tensor

    def __init__(self, *, blocks: int = 9, filters: int = 64, residual: bool = False) -> None:
        super().__init__()
        self.residual = residual
        layers: list[nn.Module] = [*_convolution(3, filters, kernel=7)]
        for width in (filters, 2 * filters):
            layers += _convolution(width, 2 * width, kernel=3, stride=2)
        layers += [ResidualBlock(4 * filters) for _ in range(blocks)]
        for width in (4 * filters, 2 * filters):
            layers += _doubling(width, width // 2)
        last = nn.Conv2d(filters, 3, 7, padding=3, padding_mode="reflect")
        self.layers = nn.Sequential(*layers, last)
        initialise(self)
        self.register_buffer("colour_matrix", torch.eye(3))
        self.register_buffer("colour_offset", torch.zeros(3))
        if residual:
            nn.init.zeros_(last.weight)

    def start_from(self, colours: ColourMap) -> None:
        """Make the untrained residual generator this colour map, which stays while the change learns."""
        self.colour_matrix = torch.from_numpy(colours.matrix).float()
        self.colour_offset = torch.from_numpy(colours.offset).float()

    def forward(self, images: Tensor) -> Tensor:
        """Translate ``images``, float [N, 3, H, W] in [-1, 1], H and W multiples of 4.

        Returns:
            float32, the same shape and range.
        """
        change = cast(Tensor, self.layers(images)).float()
        if self.residual:
            change = change + torch.atanh(_HEADROOM * self._recoloured(images))
        return torch.tanh(change)

    def _recoloured(self, images: Tensor) -> Tensor:
        # Outside autocast: colours must not be rounded to bfloat16's 8 bits.
        with torch.autocast(images.device.type, enabled=False):
            colours = F.conv2d(images.float(), self.colour_matrix[:, :, None, None], self.colour_offset)
        return colours.clamp(-1, 1)


class ResidualBlock(nn.Module):
    """x + f(x), f two 3x3 convolutions that keep the width."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.change = nn.Sequential(
            *_convolution(width, width, kernel=3),
            nn.Conv2d(width, width, 3, padding=1, padding_mode="reflect", bias=False),
            InstanceNorm(width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Apply the block to [N, width, H, W]; same shape."""
        return x + cast(Tensor, self.change(x))


def _convolution(inputs: int, outputs: int, *, kernel: int, stride: int = 1) -> list[nn.Module]:
    # Instance norm takes any bias away again.
    mode: Literal["reflect", "zeros"] = "reflect" if stride == 1 else "zeros"
    convolution = nn.Conv2d(
        inputs, outputs, kernel, stride, padding=kernel // 2, padding_mode=mode, bias=False
    )
    return [convolution, InstanceNorm(outputs), nn.ReLU(inplace=True)]


def _doubling(inputs: int, outputs: int) -> list[nn.Module]:
    convolution = nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1, bias=False)
    return [convolution, InstanceNorm(outputs), nn.ReLU(inplace=True)]
