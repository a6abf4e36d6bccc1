import pytest
import torch
from torch import nn

from training.networks.discriminators import PatchDiscriminator
from training.networks.generators import Generator
from training.networks.siamese import SiaNet
from training.networks.style_layers import InstanceNorm


@pytest.mark.parametrize("size", [(256, 128), (128, 64), (64, 32)])
@pytest.mark.parametrize("residual", [False, True])
def test_generator_keeps_shape_and_range(size: tuple[int, int], residual: bool) -> None:
    torch.manual_seed(0)
    generator = Generator(blocks=1, filters=4, residual=residual)
    images = torch.rand(2, 3, *size) * 2 - 1
    translated = generator(images)
    assert translated.shape == images.shape
    assert translated.abs().max() <= 1


def test_paper_generator_has_the_size_of_cyclegans() -> None:
    # 11.378 million with CycleGAN's biases, 5056 of which instance norm makes useless.
    assert sum(p.numel() for p in Generator(blocks=9, filters=64).parameters()) == 11_378_179 - 5_248


def test_residual_generator_starts_as_the_identity() -> None:
    torch.manual_seed(0)
    images = torch.rand(2, 3, 64, 32) * 2 - 1
    change = (Generator(blocks=2, filters=4, residual=True)(images) - images).abs().max()
    assert change < 0.011
    plain = (Generator(blocks=2, filters=4, residual=False)(images) - images).abs().mean()
    assert plain > 0.2


def test_residual_generator_bears_black_and_white() -> None:
    torch.manual_seed(0)
    images = torch.ones(1, 3, 32, 32)
    images[:, :, :16] = -1
    generator = Generator(blocks=1, filters=4, residual=True)
    generator(images).square().mean().backward()
    assert all(torch.isfinite(p.grad).all() for p in generator.parameters() if p.grad is not None)


def test_images_of_a_batch_do_not_influence_each_other() -> None:
    torch.manual_seed(0)
    generator = Generator(blocks=1, filters=4)
    images = torch.rand(2, 3, 32, 32) * 2 - 1
    torch.testing.assert_close(generator(images)[:1], generator(images[:1]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("size", "patches"), [((256, 128), (30, 14)), ((128, 64), (14, 6)), ((24, 24), (1, 1))]
)
def test_discriminator_scores_patches(size: tuple[int, int], patches: tuple[int, int]) -> None:
    scores = PatchDiscriminator(filters=4)(torch.rand(2, 3, *size))
    assert scores.shape == (2, 1, *patches)


def test_a_patch_is_seventy_pixels_wide() -> None:
    torch.manual_seed(0)
    discriminator = PatchDiscriminator(filters=4)
    for module in discriminator.modules():
        if isinstance(module, InstanceNorm):
            module.forward = nn.Identity().forward  # type: ignore[method-assign]  # it looks at the whole image
    images = torch.rand(1, 3, 256, 128).requires_grad_()
    discriminator(images)[0, 0, 15, 7].backward()
    assert images.grad is not None
    rows = images.grad.abs().sum(dim=(0, 1, 3)).nonzero()
    columns = images.grad.abs().sum(dim=(0, 1, 2)).nonzero()
    assert int(rows.max() - rows.min()) + 1 == 70
    assert int(columns.max() - columns.min()) + 1 == 70


@pytest.mark.parametrize("size", [(256, 128), (128, 64)])
def test_sianet_follows_the_image_size(size: tuple[int, int]) -> None:
    siamese = SiaNet(height=size[0], width=size[1], filters=8)
    vectors = siamese(torch.rand(3, 3, *size) * 2 - 1)
    assert vectors.shape == (3, 64)
    torch.testing.assert_close(vectors.norm(dim=1), torch.ones(3))


def test_sianet_says_which_images_are_too_small() -> None:
    with pytest.raises(ValueError, match="at least 64x64 pixels, not 128x32"):
        SiaNet(height=128, width=32)


def test_instance_norm_matches_torchs() -> None:
    x = torch.randn(2, 5, 8, 4) * 3 + 2
    torch.testing.assert_close(InstanceNorm(5)(x), nn.InstanceNorm2d(5)(x))
