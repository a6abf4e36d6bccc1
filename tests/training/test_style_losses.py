import math

import pytest
import torch

from training.style_losses import (
    Embeddings,
    adversarial_loss,
    contrastive_loss,
    cycle_loss,
    discriminator_loss,
    identity_loss,
    preservation_loss,
    siamese_loss,
)


def test_discriminator_loss_is_eq_1() -> None:
    real, fake = torch.tensor([1.0, 0.5]), torch.tensor([[0.0], [0.4]])
    assert discriminator_loss(real, fake).item() == pytest.approx(0.25 / 2 + 0.16 / 2)
    assert discriminator_loss(torch.ones(3), torch.zeros(3)).item() == 0


def test_adversarial_loss_wants_translations_to_look_real() -> None:
    assert adversarial_loss(torch.tensor([0.0, 0.5])).item() == pytest.approx((1 + 0.25) / 2)
    assert adversarial_loss(torch.ones(2)).item() == 0


@pytest.mark.parametrize("loss", [cycle_loss, identity_loss])
def test_cycle_and_identity_are_mean_absolute_differences(loss: type) -> None:
    original = torch.zeros(2, 3, 4, 4)
    changed = original.clone()
    changed[0] = 0.5
    changed[1] = -1.0
    assert loss(changed, original).item() == pytest.approx(0.75)


def _unit(*degrees: float) -> torch.Tensor:
    return torch.tensor([[math.cos(math.radians(a)), math.sin(math.radians(a))] for a in degrees])


@pytest.mark.parametrize(
    ("degrees", "distance"), [(0.0, 0.0), (60.0, 1.0), (90.0, math.sqrt(2)), (180.0, 2.0)]
)
def test_contrastive_loss_is_eq_5(degrees: float, distance: float) -> None:
    first, second = _unit(0), _unit(degrees)
    same = contrastive_loss(first, second, same=True, margin=2)
    assert same.item() == pytest.approx(distance**2, abs=1e-5)
    for margin in (0.0, 1.0, 2.0):
        different = contrastive_loss(first, second, same=False, margin=margin)
        assert different.item() == pytest.approx(max(0.0, margin - distance) ** 2, abs=1e-4)


def test_contrastive_loss_is_a_mean_over_pairs() -> None:
    loss = contrastive_loss(_unit(0, 0), _unit(0, 60), same=True, margin=2)
    assert loss.item() == pytest.approx(0.5)


def test_gradient_of_equal_vectors_is_finite() -> None:
    first = _unit(0).requires_grad_()
    contrastive_loss(first, _unit(0), same=False, margin=2).backward()
    assert first.grad is not None
    assert torch.isfinite(first.grad).all()


# x at 0 degrees, y at 180, translations 60 degrees away from their originals and 120 from the other domain.
_EXAMPLE = Embeddings(_unit(0), _unit(180), _unit(60), _unit(240))


def test_siamese_loss_uses_pairs_of_originals_as_negatives() -> None:
    # Positives d = 1 each; the negative x, y is as far as can be.
    assert siamese_loss(_EXAMPLE, margin=2).item() == pytest.approx((1 + 1 + 0) / 3, abs=1e-5)
    near = _EXAMPLE._replace(y=_unit(60), translated_y=_unit(60))
    # x, G(x): d = 1. y, F(y): d = 0. x, y: d = 1.
    assert siamese_loss(near, margin=2).item() == pytest.approx((1 + 0 + 2 * 1) / 3, abs=1e-5)


def test_preservation_loss_uses_translations_as_negatives() -> None:
    negative = (2 - math.sqrt(3)) ** 2
    expected = (1 + 1 + (negative + negative) / 2) / 4
    assert preservation_loss(_EXAMPLE, margin=2).item() == pytest.approx(expected, abs=1e-5)
