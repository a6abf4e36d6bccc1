"""One run on several GPUs or hosts: ``accelerate launch -m training adapt ...``, or any launcher that torch knows.

Every process draws the same batch, runs its own equal part of it through the networks, and gathers the features of
the whole: hardest pairs, memories, proxies and losses are then those of one process, on every process alike. Its
gradients are averaged before each step. What is done once (clustering, files) is done by the main process; the run
folder must lie where all hosts see it.

In one process every function here is the identity. The state is torch.distributed's own: there is none of ours.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar, cast

import torch
import torch.distributed as dist
from torch import Tensor

from training import errors
from training.errors import TrainingError

Item = TypeVar("Item")

# Others wait this long for the main process: a clustering of a big site takes its time.
_PATIENCE = timedelta(hours=2)


@contextmanager
def joined(device: str) -> Iterator[None]:
    """Join the processes that a launcher started beside this one; alone, do nothing.

    Args:
        device: the setting; "cpu" joins by gloo on a machine with GPUs as well.

    Raises:
        TrainingError: the others cannot be reached, or all were given one GPU.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) < 2:
        yield
        return
    if device.startswith("cuda:"):
        raise TrainingError(f"each process takes a GPU of its own, not all {device}; use cuda or auto")
    cuda = device != "cpu" and torch.cuda.is_available()
    try:
        if cuda:
            torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")))
        dist.init_process_group("nccl" if cuda else "gloo", timeout=_PATIENCE)
    except (ValueError, RuntimeError) as error:
        raise TrainingError(
            f"the other processes of this run cannot be reached ({error}); start it with accelerate launch,"
            " with as many processes as there are GPUs, or with one"
        ) from error
    yield
    # Not after an error: the others may be waiting for this process, and would be waited for in turn.
    dist.destroy_process_group()


def count() -> int:
    """How many processes share each batch."""
    return dist.get_world_size() if dist.is_initialized() else 1


def rank() -> int:
    """Which one this is, 0..count-1."""
    return dist.get_rank() if dist.is_initialized() else 0


def is_main() -> bool:
    """Whether this is the process that writes files and reports."""
    return rank() == 0


def require_parts(images: int, what: str) -> None:
    """Check that a batch can be shared evenly.

    Raises:
        TrainingError: it cannot; ``what`` names it in the message.
    """
    if images % count():
        raise TrainingError(
            f"{what}, {images} images, cannot be shared evenly by {count()} processes; choose a number that divides it"
        )


def part(batch: Tensor) -> Tensor:
    """This process's images of ``batch`` [N, ...]: [N / count, ...]."""
    if count() == 1:
        return batch
    size = len(batch) // count()
    return batch[rank() * size : (rank() + 1) * size]


def gathered(mine: Tensor) -> Tensor:
    """The rows of all processes, in order: [n, ...] -> [count * n, ...].

    The gradient is right if every process computes the same from the result: each keeps that of its own rows, times
    ``count``, for :func:`average_gradients` to divide by.
    """
    return mine if count() == 1 else cast(Tensor, _Gathered.apply(mine))


def summed(mine: Tensor) -> Tensor:
    """The sum of all processes' ``mine``, same shape; gradients are summed likewise."""
    return mine if count() == 1 else cast(Tensor, _Summed.apply(mine))


def average_gradients(optimiser: torch.optim.Optimizer) -> None:
    """Let the gradients that ``optimiser`` is about to follow be the mean over all processes'."""
    if count() > 1:
        parameters = (p for group in optimiser.param_groups for p in group["params"])
        average([p.grad for p in parameters if p.grad is not None])


@torch.no_grad()
def average(tensors: Iterable[Tensor]) -> None:
    """Replace each of ``tensors`` (floats, the same shapes everywhere) by the mean over all processes."""
    kept = list(tensors)
    if count() == 1 or not kept:
        return
    # One message instead of hundreds.
    flat = torch.cat([each.reshape(-1).float() for each in kept])
    dist.all_reduce(flat)
    flat /= count()
    for each, mean in zip(kept, torch.split(flat, [each.numel() for each in kept]), strict=True):
        each.copy_(mean.view(each.shape))


def average_norms(network: torch.nn.Module) -> None:
    """Let the running statistics of ``network`` be those of all processes' images."""
    average(buffer for buffer in network.buffers() if buffer.is_floating_point())


def from_main(compute: Callable[[], Item]) -> Item:
    """What ``compute`` gives in the main process, on every process; the others wait.

    Raises:
        Exception: whatever it raises there; elsewhere a TrainingError of its class where it is one, else a plain one.
    """
    if count() == 1:
        return compute()
    outcome: list[Any] = [None, None]
    raised: Exception | None = None
    if is_main():
        try:
            outcome[0] = compute()
        except Exception as error:  # noqa: BLE001 - told to all and raised below
            raised = error
            outcome[1] = (type(error).__name__, str(error))
    dist.broadcast_object_list(outcome)
    if raised is not None:
        raise raised
    if outcome[1] is not None:
        name, text = outcome[1]
        raise getattr(errors, name, TrainingError)(text)
    return cast(Item, outcome[0])


@contextmanager
def main_first() -> Iterator[None]:
    """Let the main process go through the block before the others do, so that they find the files it wrote."""
    if not is_main():
        dist.barrier()
    yield
    if is_main() and count() > 1:
        dist.barrier()


def rows_of_all(mine: Tensor, sizes: list[int]) -> Tensor:
    """The rows of all processes, which have ``sizes`` of them: [sizes[rank], D] -> [sum(sizes), D]."""
    if count() == 1:
        return mine
    padded = mine.new_zeros((max(sizes), *mine.shape[1:]))
    padded[: len(mine)] = mine
    all_of_them = [torch.empty_like(padded) for _ in sizes]
    dist.all_gather(all_of_them, padded)
    return torch.cat([rows[:size] for rows, size in zip(all_of_them, sizes, strict=True)])


class _Gathered(torch.autograd.Function):
    @staticmethod
    def forward(_context: Any, mine: Tensor) -> Tensor:
        rows = [torch.empty_like(mine) for _ in range(count())]
        dist.all_gather(rows, mine.contiguous())
        return torch.cat(rows)

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        return part(gradient) * count()


class _Summed(torch.autograd.Function):
    @staticmethod
    def forward(_context: Any, mine: Tensor) -> Tensor:
        total = mine.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(_context: Any, gradient: Tensor) -> Tensor:
        total = gradient.clone()
        dist.all_reduce(total)
        return total
