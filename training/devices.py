"""Where a run computes, and in which precision."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from training.errors import TrainingError


def open_device(name: str) -> torch.device:
    """The device called ``name``: "auto" (CUDA where there is one), "cpu", "cuda" or "cuda:N".

    Each process of a run on several GPUs has its own: the current one of torch.

    Raises:
        TrainingError: no such device here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise TrainingError(f"no device {name!r}; use auto, cpu, cuda or cuda:N") from error
    if device.type == "cuda" and not torch.cuda.is_available():
        raise TrainingError(
            f"device {name!r} was asked for, but no CUDA device can be used here; use cpu or auto"
        )
    if device.type not in ("cpu", "cuda"):
        raise TrainingError(f"device {name!r} is not supported; use auto, cpu, cuda or cuda:N")
    return device


def lower_precision(precision: str, device: torch.device, *, depthwise: bool = False) -> bool:
    """Whether to compute in bfloat16.

    "auto": on CUDA devices that have it, and on CPUs with bfloat16 instructions unless the network's convolutions are
    ``depthwise`` (measured: ResNet-18 becomes 1.8 times as fast, depthwise convolutions become slower).

    Raises:
        TrainingError: ``precision`` is none of "auto", "float32", "bfloat16".
    """
    if precision not in ("auto", "float32", "bfloat16"):
        raise TrainingError(f"no precision {precision!r}; use auto, float32 or bfloat16")
    if precision != "auto":
        return precision == "bfloat16"
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    capabilities = torch.cpu.get_capabilities()
    return not depthwise and bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))


def require_compiler(device: torch.device) -> None:
    """Find now, and not in the first step, whether torch.compile works on ``device``.

    Raises:
        TrainingError: it does not, for want of a compiler as a rule.
    """
    try:
        torch.compile(torch.neg)(torch.ones(2, device=device))
    except Exception as error:
        reason = str(error).strip().splitlines()[0]
        raise TrainingError(
            f"torch.compile does not work here ({reason}); install a C++ compiler, or set compile to off"
        ) from error


@contextmanager
def autocast(device: torch.device, *, enabled: bool) -> Iterator[None]:
    """bfloat16 autocast where ``enabled``."""
    with torch.autocast(device.type, torch.bfloat16, enabled=enabled):
        yield
