"""The losses of SPGAN, equations 1 to 5 of the paper; equation 6 is their weighted sum."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor


def discriminator_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Least-squares loss of one discriminator, eq 1 (D_Y) and eq 2 (D_X): E[(D(real) - 1)^2] + E[D(fake)^2].

    Args:
        real: scores of images of the discriminator's domain, any shape.
        fake: scores of detached translations, any shape.
    """
    return (real - 1).square().mean() + fake.square().mean()


def adversarial_loss(fake: Tensor) -> Tensor:
    """What a generator minimises of eqs 1, 2: E[(D(G(x)) - 1)^2].

    The paper prints only the discriminator's side; this is its least-squares counterpart (Mao et al. 2017).

    Args:
        fake: scores of translations, with their graph, any shape.
    """
    return (fake - 1).square().mean()


def cycle_loss(restored: Tensor, original: Tensor) -> Tensor:
    """One direction of eq 3: E[|F(G(x)) - x|_1], as the mean over values (CycleGAN).

    Args:
        restored: images translated there and back, [N, 3, H, W].
        original: the images they come from, same shape.
    """
    return (restored - original).abs().mean()


def identity_loss(unchanged: Tensor, original: Tensor) -> Tensor:
    """One direction of eq 4: E[|G(y) - y|_1]: a generator leaves images of its own output domain alone.

    Args:
        unchanged: images of a generator's output domain after that generator, [N, 3, H, W].
        original: the same images before it.
    """
    return (unchanged - original).abs().mean()


def contrastive_loss(first: Tensor, second: Tensor, *, same: bool, margin: float) -> Tensor:
    """Similarity preservation, eq 5, as the mean over pairs: (1 - i) max(0, m - d)^2 + i d^2.

    d is the Euclidean distance, i = 1 for ``same``. With m = 0 pairs that differ have no influence.

    Args:
        first: unit vectors, [N, D].
        second: unit vectors, [N, D]; row by row a pair with ``first``.
        same: whether the pairs show the same person.
        margin: m, in [0, 2].
    """
    squared = (first - second).square().sum(dim=1)
    if same:
        return squared.mean()
    # The root's slope is infinite at 0.
    distance = squared.clamp_min(1e-12).sqrt()
    return (margin - distance).clamp_min(0).square().mean()


class Embeddings(NamedTuple):
    """SiaNet's unit vectors, each [N, D], of a batch of both domains and its translations."""

    x: Tensor
    y: Tensor
    translated_x: Tensor
    translated_y: Tensor


def siamese_loss(embeddings: Embeddings, *, margin: float) -> Tensor:
    """What SiaNet minimises of eq 5: an image and its translation together, the two domains apart.

    (L(1, x, G(x)) + L(1, y, F(y)) + 2 L(0, x, y)) / 3; the weights are those of the SPGAN codes.
    """
    x, y, translated_x, translated_y = embeddings
    positive = contrastive_loss(x, translated_x, same=True, margin=margin)
    positive = positive + contrastive_loss(y, translated_y, same=True, margin=margin)
    negative = contrastive_loss(x, y, same=False, margin=margin)
    return (positive + 2 * negative) / 3


def preservation_loss(embeddings: Embeddings, *, margin: float) -> Tensor:
    """What the generators minimise of eq 5: keep the person, do not turn into one of the other domain.

    (L(1, x, G(x)) + L(1, y, F(y)) + (L(0, G(x), y) + L(0, F(y), x)) / 2) / 4; weights of the SPGAN codes.
    """
    x, y, translated_x, translated_y = embeddings
    positive = contrastive_loss(x, translated_x, same=True, margin=margin)
    positive = positive + contrastive_loss(y, translated_y, same=True, margin=margin)
    negative = contrastive_loss(translated_x, y, same=False, margin=margin)
    negative = negative + contrastive_loss(translated_y, x, same=False, margin=margin)
    return (positive + negative / 2) / 4


def embed_together(
    siamese: torch.nn.Module, x: Tensor, y: Tensor, fakes: tuple[Tensor, Tensor]
) -> Embeddings:
    """SiaNet's embeddings of images and of their translations (G(x), F(y)) in one pass; all [N, 3, H, W]."""
    return Embeddings(*siamese(torch.cat([x, y, *fakes])).chunk(4))
