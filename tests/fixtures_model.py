"""A small embedding network that needs no training: it tells colour layouts apart."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

ROWS, COLUMNS = 4, 2  # mean colours are taken over a grid of this size


def write_embedder(
    path: Path, height: int = 128, width: int = 64, size: int = 32, *, seed: int = 0, source: str = "made up"
) -> dict[str, Any]:
    """Write a ``model.onnx`` with its card inside and ``card.json`` beside it, and return the card.

    Crops are cut into a grid, each cell's mean colour is taken, and the result turned at random into ``size``
    dimensions: crops of alike colours in alike places get alike embeddings.

    Args:
        path: of the ONNX file; its folder is made.
        height, width: of the crops, multiples of 4 and 2.
        size: of an embedding.
        seed: another one gives another model.
        source: name of the source the card tells of.
    """
    card = {
        "format": 1,
        "height": height,
        "width": width,
        "embedding_size": size,
        "backbone": "colour grid",
        "preset": "smoke",
        "trained_on": {"source": source, "target": "made up"},
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "metrics": None,
        "normalisation": "inside",
    }
    model = _network(height, width, size, seed)
    helper.set_model_props(model, {"reid_desk.card": json.dumps(card)})
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, path)
    card["sha256"] = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name("card.json").write_text(json.dumps(card, indent=2), encoding="utf-8")
    return card


def _network(height: int, width: int, size: int, seed: int) -> onnx.ModelProto:
    cells = 3 * ROWS * COLUMNS
    weights = np.random.default_rng(seed).standard_normal((cells, size)).astype(np.float32)
    cell = [height // ROWS, width // COLUMNS]
    nodes = [
        helper.make_node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
        helper.make_node("Sub", ["pixels", "grey"], ["centred"]),
        helper.make_node("Transpose", ["centred"], ["planes"], perm=[0, 3, 1, 2]),
        helper.make_node("AveragePool", ["planes"], ["means"], kernel_shape=cell, strides=cell),
        helper.make_node("Flatten", ["means"], ["layout"]),
        helper.make_node("MatMul", ["layout", "weights"], ["turned"]),
        helper.make_node("LpNormalization", ["turned"], ["embeddings"], axis=1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "colour_grid",
        [helper.make_tensor_value_info("images", TensorProto.UINT8, ["N", height, width, 3])],
        [helper.make_tensor_value_info("embeddings", TensorProto.FLOAT, ["N", size])],
        [
            numpy_helper.from_array(np.array(127.5, dtype=np.float32), "grey"),
            numpy_helper.from_array(weights, "weights"),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model
