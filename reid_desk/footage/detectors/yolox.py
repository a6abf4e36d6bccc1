"""People found by a YOLOX network (Ge et al., 2021, arXiv:2107.08430) in ONNX Runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from reid_desk.errors import FootageError

_STRIDES = (8, 16, 32)  # pixels a cell of the network's three output maps
_GREY = 114  # what the network was trained to see around a picture
_PERSON = 5  # column of COCO's class 0, after the box and the objectness


class YoloxDetector:
    """A YOLOX network as its authors export it: BGR 0..255 [1, 3, H, W] in, [1, cells, 5 + classes] out."""

    name = "yolox"
    sure_score = 0.6

    def __init__(self, weights: Path, *, minimum_score: float = 0.1, maximum_overlap: float = 0.65) -> None:
        """``minimum_score`` of a box, ``maximum_overlap`` (intersection over union) of two people's boxes.

        Raises:
            FootageError: the file is missing, or is no YOLOX network.
        """
        self._minimum_score = minimum_score
        self._maximum_overlap = maximum_overlap
        self._session = _open_session(weights)
        image = self._session.get_inputs()[0]
        self._input_name = image.name
        self._height, self._width = _input_size(weights, image.shape)
        self._cells, self._cell_strides = _cells(self._height, self._width)
        self._check_output(weights)

    def detect(self, frame: NDArray[np.uint8]) -> NDArray[np.float32]:
        """People in a frame, uint8 RGB [H, W, 3]: float32 [K, 5] of (left, top, width, height) pixels, score."""
        import cv2  # noqa: PLC0415 - loaded with the detector, not with the desk

        scale = min(self._height / frame.shape[0], self._width / frame.shape[1])
        output = self._run(_letterboxed(frame, self._height, self._width, scale))
        scores = output[:, 4] * output[:, _PERSON]
        likely = scores >= self._minimum_score
        boxes = self._decode(output[likely, :4], likely) / scale
        keep = cv2.dnn.NMSBoxes(
            boxes.tolist(), scores[likely].tolist(), self._minimum_score, self._maximum_overlap
        )
        people = np.column_stack((boxes, scores[likely]))[np.asarray(keep, dtype=np.intp)]
        return _inside(people.astype(np.float32), frame.shape[1], frame.shape[0])

    def reset(self) -> None:
        """Nothing to forget: every frame stands alone."""

    def _run(self, image: NDArray[np.float32]) -> NDArray[np.float32]:
        output: NDArray[np.float32] = self._session.run(None, {self._input_name: image})[0][0]
        return output

    def _decode(self, output: NDArray[np.float32], chosen: NDArray[np.bool_]) -> NDArray[np.float32]:
        """(left, top, width, height): centre = (output + cell) x stride, size = exp(output) x stride."""
        strides = self._cell_strides[chosen, None]
        centre = (output[:, :2] + self._cells[chosen]) * strides
        size = np.exp(np.minimum(output[:, 2:], 10.0)) * strides
        return np.hstack((centre - size / 2, size))

    def _check_output(self, weights: Path) -> None:
        import onnxruntime  # noqa: PLC0415 - loaded with the detector, not with the desk

        blank = np.full((1, 3, self._height, self._width), _GREY, dtype=np.float32)
        try:
            shape = self._session.run(None, {self._input_name: blank})[0].shape
        except onnxruntime.capi.onnxruntime_pybind11_state.OrtException as error:  # type: ignore[attr-defined, unused-ignore]
            raise _no_detector(weights, "it does not run on a picture") from error
        if len(shape) != 3 or shape[:2] != (1, len(self._cells)) or shape[2] <= _PERSON:
            raise _no_detector(
                weights, f"its output is {list(shape)}, not [1, {len(self._cells)}, 5 + classes]"
            )


def _open_session(weights: Path) -> Any:
    import onnxruntime  # noqa: PLC0415 - loaded with the detector, not with the desk

    if not weights.is_file():
        raise FootageError(f"{weights}: there is no such file of detector weights. Check the path.")
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Waiting threads would burn half of the processor's time, which decoding and the desk can use.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(weights, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no other parent
        raise _no_detector(weights, "ONNX Runtime cannot open it") from error


def _no_detector(weights: Path, why: str) -> FootageError:
    return FootageError(
        f"{weights}: this is no YOLOX person detector: {why}. Give yolox_nano.onnx or one of its kin."
    )


def _input_size(weights: Path, shape: list[Any]) -> tuple[int, int]:
    if (
        len(shape) != 4
        or shape[1] != 3
        or not all(isinstance(side, int) and side >= 32 for side in shape[2:])
    ):
        raise _no_detector(weights, f"its input is {shape}, not [1, 3, height, width]")
    return shape[2], shape[3]


def _cells(height: int, width: int) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Column and row of every output cell, float32 [cells, 2], and its stride in pixels, float32 [cells]."""
    cells, strides = [], []
    for stride in _STRIDES:
        rows, columns = np.mgrid[: height // stride, : width // stride]
        cells.append(np.stack((columns.ravel(), rows.ravel()), axis=1))
        strides.append(np.full(rows.size, stride))
    return np.concatenate(cells).astype(np.float32), np.concatenate(strides).astype(np.float32)


def _letterboxed(frame: NDArray[np.uint8], height: int, width: int, scale: float) -> NDArray[np.float32]:
    import cv2  # noqa: PLC0415 - loaded with the detector, not with the desk

    canvas = np.full((height, width, 3), _GREY, dtype=np.uint8)
    size = (int(frame.shape[1] * scale), int(frame.shape[0] * scale))
    canvas[: size[1], : size[0]] = cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR)
    return np.asarray(cv2.dnn.blobFromImage(canvas, swapRB=True), dtype=np.float32)


def _inside(people: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    """Boxes cut to the frame; none is left without area."""
    corners = people[:, :2] + people[:, 2:4]
    people[:, :2] = np.maximum(people[:, :2], 0)
    people[:, 2:4] = np.minimum(corners, (width, height)) - people[:, :2]
    return people[(people[:, 2:4] >= 1).all(axis=1)]
