"""Crops -> embeddings, by a site's own model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from reid_desk.errors import ModelError
from reid_desk.search.runtime import open_session

if TYPE_CHECKING:
    import onnxruntime

CARD_PROPERTY = "reid_desk.card"
BATCH_SIZE = 64
_NORM_TOLERANCE = 1e-2  # models may compute in half precision inside


class Embedder:
    """An embedding network in ONNX Runtime.

    Attributes:
        card: what the model file says about itself.
        device: ``cpu`` or ``cuda``.
        height, width: of the crops the network takes, in pixels.
        size: number of dimensions of an embedding.

    Args:
        path: the model's ``model.onnx``.
        device: ``auto``, ``cpu`` or ``cuda``.
        threads: number of CPU threads; all cores by default.

    Raises:
        ModelError: the file is missing, damaged, or no embedding network.
        ReidDeskError: ``cuda`` was asked for and does not work.
    """

    def __init__(self, path: Path, device: str = "auto", *, threads: int | None = None) -> None:
        self._path = path
        self._session, self.device = open_session(path, device=device, threads=threads)
        self.card = _card(self._session, path)
        self.height, self.width = int(self.card["height"]), int(self.card["width"])
        self.size = int(self.card["embedding_size"])
        self._check_ports()
        self._check_output()

    def embed(self, images: Sequence[npt.NDArray[np.uint8]]) -> npt.NDArray[np.float32]:
        """Return L2-normalised embeddings, float32 ``[N, D]``.

        Args:
            images: uint8 RGB ``[H, W, 3]`` of any size; they are resized as the model wants them.

        Raises:
            ValueError: an image is not of that shape or type, or empty.
        """
        batches = [
            self._run(np.stack([self._resized(image) for image in images[start : start + BATCH_SIZE]]))
            for start in range(0, len(images), BATCH_SIZE)
        ]
        return np.concatenate(batches) if batches else np.empty((0, self.size), dtype=np.float32)

    def _resized(self, image: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or not image.size:
            raise ValueError(f"an image is uint8 [H, W, 3], not {image.dtype} {list(image.shape)}")
        picture = Image.fromarray(image).resize((self.width, self.height), Image.Resampling.BILINEAR)
        return np.asarray(picture)

    def _run(self, batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        embeddings: npt.NDArray[np.float32] = self._session.run(["embeddings"], {"images": batch})[0]
        return embeddings

    def _check_ports(self) -> None:
        inputs = {port.name: port for port in self._session.get_inputs()}
        outputs = {port.name: port for port in self._session.get_outputs()}
        if list(inputs) != ["images"] or "embeddings" not in outputs:
            raise self._no_embedder("its input is not `images`, or it has no output `embeddings`")
        images, embeddings = inputs["images"], outputs["embeddings"]
        if images.type != "tensor(uint8)" or embeddings.type != "tensor(float)":
            raise self._no_embedder("it does not take uint8 images and give float32 embeddings")
        if len(images.shape) != 4 or images.shape[1:] != [self.height, self.width, 3]:
            raise self._no_embedder("it takes images of another size than its card says")
        if isinstance(images.shape[0], int):
            raise self._no_embedder("it takes only a fixed number of images at a time")

    def _check_output(self) -> None:
        from onnxruntime.capi import onnxruntime_pybind11_state as states  # noqa: PLC0415

        ramp = np.arange(2 * self.height * self.width * 3, dtype=np.uint32) % 251
        probe = ramp.astype(np.uint8).reshape(2, self.height, self.width, 3)
        try:
            embeddings = self._run(probe)
        except (states.Fail, states.InvalidArgument, states.NotImplemented, states.RuntimeException) as error:
            raise self._no_embedder("it fails on a first image") from error
        if embeddings.shape != (2, self.size):
            raise self._no_embedder("its embeddings are of another size than its card says")
        norms = np.linalg.norm(embeddings, axis=1)
        if not np.allclose(norms, 1.0, atol=_NORM_TOLERANCE):  # false for NaN too
            raise self._no_embedder("its embeddings are not of length one")

    def _no_embedder(self, reason: str) -> ModelError:
        return ModelError(
            f"{self._path} is no embedding model: {reason}; use a model.onnx that ReID Desk exported."
        )


def _card(session: onnxruntime.InferenceSession, path: Path) -> Mapping[str, Any]:
    text = session.get_modelmeta().custom_metadata_map.get(CARD_PROPERTY)
    if text is None:
        raise ModelError(
            f"{path} is no embedding model: it has no card; use a model.onnx that ReID Desk exported."
        )
    try:
        card = json.loads(text)
        sizes = [card[key] for key in ("height", "width", "embedding_size")]
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"The card of {path} is damaged; export the model again.") from error
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ModelError(f"The card of {path} tells impossible sizes; export the model again.")
    return dict(card)
