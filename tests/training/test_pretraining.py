"""Stage 2: what it learns, and what the norms are left with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from tests.training.small import person, tiny_settings
from training.networks.building import build_network
from training.networks.embedding import EmbeddingNetwork
from training.pretraining import pretrain, take_norms_from, triplet_features
from training.progress import Silent

CPU = torch.device("cpu")


def images(people: range, tint: tuple[float, float, float] = (1, 1, 1)) -> np.ndarray:
    return np.stack(
        [np.asarray(person(i, c, v, tint=tint)) for i in people for c in range(2) for v in range(3)]
    )


def network() -> EmbeddingNetwork:
    torch.manual_seed(0)
    return build_network(tiny_settings().network)


def test_the_people_of_the_source_are_learnt() -> None:
    figures: list[float] = []

    class Recorder(Silent):
        def metric(self, **values: float) -> None:
            figures.append(values["loss"])

    settings = replace(
        tiny_settings().pretraining,
        epochs=6,
        iterations_per_epoch=5,
        warmup_iterations=2,
        norms_from_target=False,
    )
    identities = np.repeat(np.arange(6), 6).astype(np.int64)
    cameras = np.tile(np.repeat(np.arange(2), 3), 6).astype(np.int64)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.pretraining.REPORT_EVERY", 0.0)
        pretrain(
            network(), images(range(6)), identities, cameras, settings, target=None, device=CPU, bfloat16=False,
            seed=0, checkpoint=None, reporter=Recorder(),
        )  # fmt: skip
    assert len(figures) == 30
    assert np.mean(figures[-5:]) < 0.6 * np.mean(figures[:5])


def test_norms_taken_from_a_place_are_those_of_its_images() -> None:
    net = network()
    place = images(range(4), tint=(1.3, 0.8, 0.6))
    take_norms_from(net, place, device=CPU, batch_size=len(place))
    inputs: list[torch.Tensor] = []
    first = next(m for m in net.modules() if isinstance(m, nn.BatchNorm2d))
    first.register_forward_hook(lambda _module, args, _out: inputs.append(args[0]))
    from training.augmentation import normalise

    net.eval()(normalise(torch.from_numpy(place)))
    torch.testing.assert_close(first.running_mean, inputs[0].mean((0, 2, 3)), atol=1e-4, rtol=1e-3)
    assert first.momentum == 0.1
    assert not net.training


def test_scaled_triplet_features_have_the_scale_as_length() -> None:
    features = torch.randn(5, 7)
    assert triplet_features(features, 0) is features
    torch.testing.assert_close(triplet_features(features, 4).norm(dim=1), torch.full((5,), 4.0))
