import numpy as np
import pytest
import torch

from training.style_batches import DomainOrder, ImagePool, random_views, to_uint8, to_unit_range

CPU = torch.device("cpu")


def _generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_bytes_survive_the_way_there_and_back() -> None:
    images = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    batch = to_unit_range(images, CPU)
    assert batch.shape == (1, 3, 16, 16)
    assert batch.min() == -1
    assert batch.max() == 1
    assert np.array_equal(to_uint8(batch), images)


def test_views_without_jitter_are_the_images_or_their_mirrors() -> None:
    images = torch.rand(32, 3, 16, 8)
    views = random_views(images, height=16, width=8, jitter=1.0, generator=_generator())
    mirrored = [torch.allclose(v, i.flip(2), atol=1e-5) for v, i in zip(views, images, strict=True)]
    same = [torch.allclose(v, i, atol=1e-5) for v, i in zip(views, images, strict=True)]
    assert all(m != s for m, s in zip(mirrored, same, strict=True))
    assert 8 <= sum(mirrored) <= 24


def test_views_are_crops_of_the_enlarged_image() -> None:
    # A horizontal ramp's crop spans 1 / jitter of it and stays within it.
    ramp = torch.linspace(0, 1, 128).view(1, 1, 128, 1).expand(64, 3, 128, 64).contiguous()
    views = random_views(ramp, height=256, width=128, jitter=1.25, generator=_generator())
    assert views.shape == (64, 3, 256, 128)
    span = views[:, 0, -1, 0] - views[:, 0, 0, 0]
    torch.testing.assert_close(span, torch.full((64,), 0.8), atol=0.02, rtol=0)
    starts = views[:, 0, 0, 0]
    assert starts.min() < 0.03
    assert starts.max() > 0.17
    assert views.min() >= 0
    assert views.max() <= 1


def test_views_follow_their_generator() -> None:
    images = torch.rand(4, 3, 16, 8)
    views = [random_views(images, height=16, width=8, jitter=1.1, generator=_generator(s)) for s in (1, 1, 2)]
    assert torch.equal(views[0], views[1])
    assert not torch.equal(views[0], views[2])


def test_every_image_comes_once_before_any_comes_again() -> None:
    order = DomainOrder(10, 4, seed=3)
    drawn = np.concatenate([order.batch(n) for n in range(5)])
    assert sorted(drawn[:10].tolist()) == list(range(10))
    assert sorted(drawn[10:].tolist()) == list(range(10))
    assert drawn[:10].tolist() != drawn[10:].tolist()


def test_order_of_a_batch_does_not_depend_on_those_before() -> None:
    order = DomainOrder(10, 4, seed=3)
    for number in range(7):
        expected = order.batch(number)
    assert np.array_equal(DomainOrder(10, 4, seed=3).batch(6), expected)


def test_domain_smaller_than_a_batch_is_repeated() -> None:
    drawn = DomainOrder(3, 8, seed=0).batch(0)
    assert np.bincount(drawn, minlength=3).min() >= 2


def _numbered(*values: int) -> torch.Tensor:
    return torch.tensor([float(v) for v in values]).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)


def _values(images: torch.Tensor) -> list[int]:
    return [int(v) for v in images[:, 0, 0, 0]]


def test_pool_hands_through_until_it_is_full() -> None:
    pool, generator = ImagePool(4), _generator()
    assert _values(pool.exchange(_numbered(1, 2, 3), generator)) == [1, 2, 3]
    answer = _values(pool.exchange(_numbered(4, 5, 6), generator))
    assert answer[0] == 4
    assert len(answer) == 3


def test_full_pool_exchanges_about_half_and_loses_nothing() -> None:
    pool, generator = ImagePool(8), _generator()
    pool.exchange(_numbered(*range(8)), generator)
    given, returned = list(range(8)), []
    for batch in range(1, 101):
        new = [8 * batch + i for i in range(8)]
        given += new
        returned += _values(pool.exchange(_numbered(*new), generator))
    kept = _values(pool.state_dict()["kept"])
    assert sorted(returned + kept) == given
    fresh = sum(value // 8 == 1 + position // 8 for position, value in enumerate(returned))
    assert fresh / len(returned) == pytest.approx(0.5, abs=0.06)


def test_pool_of_size_zero_is_off() -> None:
    images = _numbered(1, 2)
    assert ImagePool(0).exchange(images, _generator()) is images


def test_pool_smaller_than_a_batch_works() -> None:
    pool, generator = ImagePool(2), _generator()
    for start in range(0, 40, 5):
        assert len(pool.exchange(_numbered(*range(start, start + 5)), generator)) == 5


def test_pool_goes_on_from_its_state() -> None:
    first, second = ImagePool(4), ImagePool(4)
    first.exchange(_numbered(1, 2, 3, 4), _generator())
    second.load_state_dict(first.state_dict())
    # The state shares memory with the first pool as any state_dict does; a checkpoint copies it.
    second.load_state_dict({"kept": second.state_dict()["kept"].clone()})
    answers = [_values(p.exchange(_numbered(5, 6, 7), _generator(5))) for p in (first, second)]
    assert answers[0] == answers[1]
