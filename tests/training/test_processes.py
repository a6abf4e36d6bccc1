from __future__ import annotations

from pathlib import Path

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import Tensor, nn

from training import processes
from training.checkpoints import save_checkpoint
from training.errors import ClusteringError, TrainingError
from training.features import batch_features, embed
from training.losses import triplet_loss
from training.networks.embedding import EmbeddingNetwork
from training.networks.normalisation import set_norm_group
from training.optimisation import build_optimiser

CPU = torch.device("cpu")
IMAGES = torch.randn(16, 3, 8, 4, generator=torch.Generator().manual_seed(1))
LABELS = torch.arange(16) // 4


class Backbone(nn.Sequential):
    channels = 6

    def __init__(self) -> None:
        super().__init__(nn.Conv2d(3, 6, 3, bias=False), nn.BatchNorm2d(6), nn.ReLU())


def make_network() -> EmbeddingNetwork:
    torch.manual_seed(0)
    return EmbeddingNetwork(Backbone())  # type: ignore[arg-type]


def embed_some() -> Tensor:
    """Of a number of images that neither two processes nor batches of four divide."""
    images = (128 + 40 * IMAGES).clamp(0, 255).byte().permute(0, 2, 3, 1).numpy()[:11]
    return torch.from_numpy(embed(make_network(), images, device=CPU, batch_size=4))


def step(group: int) -> dict[str, Tensor]:
    """One step of a small network on a batch: its gradients, and its norms' statistics afterwards."""
    network = make_network()
    set_norm_group(network, group)
    network.train()
    features = batch_features(network, IMAGES, device=CPU, bfloat16=False)
    loss = triplet_loss(features.neck, LABELS) + features.pooled.square().mean()
    torch.autograd.backward(loss)
    optimiser = build_optimiser([network], name="adam", learning_rate=0.1, weight_decay=0.0)
    processes.average_gradients(optimiser)
    processes.average_norms(network)
    gradients = {f"{name} gradient": p.grad for name, p in network.named_parameters() if p.grad is not None}
    statistics = {name: buffer for name, buffer in network.named_buffers() if buffer.is_floating_point()}
    return {"loss": loss.detach()} | gradients | statistics


def every_step() -> dict[str, Tensor]:
    """With norms over the whole batch, over groups that fit into a process's part, and over groups that do not."""
    steps = {f"{group}: {name}": value for group in (0, 4, 8, 6, 16) for name, value in step(group).items()}
    return steps | {"embeddings": embed_some()}


def both(rank: int, folder: Path) -> None:
    """What a second process does beside the first; the first one writes what came out."""
    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    result = every_step()
    with pytest.raises(ClusteringError, match="none"):
        processes.from_main(fail)
    with pytest.raises(TrainingError, match="evenly by 2"):
        processes.require_parts(15, "a batch")
    save_checkpoint(folder / f"{rank}.pt", result)
    torch.save(result, folder / f"result{rank}.pt")
    dist.destroy_process_group()


def fail() -> None:
    if processes.rank() == 0:
        raise ClusteringError("none")
    raise AssertionError("only the main process computes")


def test_two_processes_take_the_step_of_one(tmp_path: Path) -> None:
    mp.spawn(both, (tmp_path,), nprocs=2)
    first, second = (torch.load(tmp_path / f"result{rank}.pt") for rank in range(2))
    for name, value in every_step().items():
        # Groups on one process are followed one by one, over processes all at once: statistics of a step differ by
        # the order in which they are forgotten.
        tolerance = 2e-2 if "running" in name and name[0] != "0" else 1e-5
        torch.testing.assert_close(first[name], value, rtol=tolerance, atol=tolerance, msg=name)
        torch.testing.assert_close(second[name], first[name], rtol=0, atol=0, msg=name)
    assert (tmp_path / "0.pt").exists()
    assert not (tmp_path / "1.pt").exists()  # the main process writes


def test_alone_everything_is_as_it_was() -> None:
    assert (processes.count(), processes.rank()) == (1, 0)
    assert processes.part(IMAGES) is IMAGES
    assert processes.gathered(IMAGES) is IMAGES
    assert processes.summed(IMAGES) is IMAGES
    assert processes.from_main(lambda: 7) == 7
    with processes.main_first():
        pass


def test_others_that_cannot_be_reached_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.delenv("RANK", raising=False)
    with pytest.raises(TrainingError, match="accelerate launch"), processes.joined("cpu"):
        pass
