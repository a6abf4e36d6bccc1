"""A model file as an operator's machine runs it: ONNX Runtime, no torch."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.errors import WeightsError

# The metadata property of an ONNX model file that holds its card as JSON.
CARD_KEY = "reid_desk.card"
_BATCH = 64


class ModelFile:
    """An exported embedding network.

    Attributes:
        height: pixels of its input.
        width: pixels of its input.
        card: what the file says of itself.

    Raises:
        WeightsError: the file is missing, damaged, or no embedding network of this format.
    """

    def __init__(self, path: Path) -> None:
        import onnxruntime  # noqa: PLC0415 - only where a model file is run

        if not path.is_file():
            raise WeightsError(f"no model file at {path}; check the path")
        try:
            self._session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        # onnxruntime's errors share no base class of their own; whatever it says, the file cannot be run.
        except Exception as error:
            raise WeightsError(f"{path} is no ONNX model that can be run; export it again") from error
        inputs = self._session.get_inputs()
        text = self._session.get_modelmeta().custom_metadata_map.get(CARD_KEY)
        if text is None or [each.name for each in inputs] != ["images"] or inputs[0].type != "tensor(uint8)":
            raise WeightsError(
                f"{path} is no embedding network of this format (uint8 crops in, embeddings out, with a card); "
                "export one with: python -m training export"
            )
        self.card: dict[str, object] = json.loads(text)
        self.height, self.width = (int(size) for size in inputs[0].shape[1:3])

    def embed(self, images: NDArray[np.uint8]) -> NDArray[np.float32]:
        """uint8 RGB [N, height, width, 3] -> L2-normalised float32 [N, D]."""
        batches = [
            self._session.run(None, {"images": np.ascontiguousarray(images[start : start + _BATCH])})[0]
            for start in range(0, len(images), _BATCH)
        ]
        return np.concatenate(batches)
