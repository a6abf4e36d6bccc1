"""The model file: ONNX with normalisation inside, checked against torch before it is accepted."""

from __future__ import annotations

import copy
import hashlib
import json
import warnings
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from safetensors.torch import save
from torch import Tensor

from training.errors import TrainingError
from training.files import write_atomically
from training.model_file import CARD_KEY
from training.networks.embedding import EmbeddingNetwork, ExportedNetwork
from training.settings import NetworkSettings

CARD_FORMAT = 1
# Least cosine between an embedding by torch and the same by ONNX for an export to be accepted.
LEAST_COSINE = 0.9999


def make_card(
    network: EmbeddingNetwork,
    settings: NetworkSettings,
    *,
    preset: str,
    source: str,
    target: str | None,
    metrics: Mapping[str, object] | None = None,
) -> dict[str, Any]:
    """What a model file says of itself: sizes, what it was trained on and when."""
    return {
        "format": CARD_FORMAT,
        "height": settings.height,
        "width": settings.width,
        "embedding_size": network.embedding_size,
        "backbone": settings.backbone,
        "preset": preset,
        "trained_on": {"source": source, "target": target},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "metrics": metrics,
        "normalisation": "inside",
    }


def export_onnx(
    network: EmbeddingNetwork, path: Path, card: Mapping[str, Any], *, samples: NDArray[np.uint8]
) -> dict[str, Any]:
    """Write ``network`` as an ONNX model to ``path`` and its card beside it as ``<stem>.card.json``.

    Input ``images``: uint8 RGB [N, height, width, 3], any N. Output ``embeddings``: float32 [N, D], L2-normalised.

    Args:
        network: any device and mode; left as it was.
        path: of the file; replaced whole or not at all.
        card: see :func:`make_card`; put into the file's metadata.
        samples: real crops, uint8 RGB [M, height, width, 3], M >= 2, that the check runs on.

    Returns:
        The card with ``sha256`` of the file and ``cosine``, the least over ``samples`` between ONNX and torch.

    Raises:
        TrainingError: the exported model does not agree with torch, or cannot be written.
    """
    # A copy: what goes through torch.compile cannot be exported, and a copy never does.
    exported = ExportedNetwork(copy.deepcopy(network)).cpu().eval()
    images = torch.from_numpy(np.array(samples))
    model = _to_onnx(exported, images[:2])
    with torch.inference_mode():
        expected = exported(images)
    onnx.helper.set_model_props(model, {CARD_KEY: json.dumps(dict(card))})
    content = model.SerializeToString()
    cosine = _least_cosine(content, images, expected)
    if not cosine >= LEAST_COSINE:  # what is no number is not alike
        raise TrainingError(
            f"the exported model differs from the trained one (cosine {cosine:.6f}); nothing was written"
        )
    full_card = dict(card) | {"sha256": hashlib.sha256(content).hexdigest(), "cosine": cosine}
    write_atomically(path, content)
    write_atomically(card_path(path), json.dumps(full_card, indent=2).encode())
    return full_card


def card_path(model: Path) -> Path:
    """Where the card of ``model`` lies: ``card.json`` beside a ``model.onnx``, else ``<stem>.card.json``."""
    return model.with_name("card.json" if model.stem == "model" else f"{model.stem}.card.json")


def save_weights(network: EmbeddingNetwork, path: Path) -> None:
    """Write the network's weights as safetensors, atomically.

    Raises:
        TrainingError: they cannot be written.
    """
    write_atomically(
        path, save({key: value.cpu().contiguous() for key, value in network.state_dict().items()})
    )


def _to_onnx(network: ExportedNetwork, example: Tensor) -> onnx.ModelProto:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the exporter warns of its own deprecations
        program = torch.onnx.export(
            network,
            (example,),
            input_names=["images"],
            output_names=["embeddings"],
            dynamic_shapes={"images": {0: torch.export.Dim("n", min=1)}},
            dynamo=True,
            verbose=False,
        )
    if program is None:
        raise TrainingError("the model could not be exported to ONNX")
    return program.model_proto


def _least_cosine(content: bytes, images: Tensor, expected: Tensor) -> float:
    import onnxruntime  # noqa: PLC0415 - not needed where nothing is exported

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    got = session.run(["embeddings"], {"images": images.numpy()})[0]
    return float((torch.from_numpy(got) * expected).sum(1).min())
