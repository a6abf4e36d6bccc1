"""A YOLOX-shaped network made for tests: a cell's score is how blue it is, its box always of one size."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

BOX = (4.0, 8.0)  # width and height of every box, in strides
_STRIDES = (8, 16, 32)


def write_network(path: Path, *, side: int = 64, outputs: int = 7) -> Path:
    """Input [1, 3, side, side] BGR 0..255; output [1, cells, outputs]: box, objectness = blue / 255, class scores."""
    nodes, names = [], []
    for stride in _STRIDES:
        pooled, blue, flat = f"pooled{stride}", f"blue{stride}", f"flat{stride}"
        nodes += [
            helper.make_node(
                "AveragePool", ["images"], [pooled], kernel_shape=[stride] * 2, strides=[stride] * 2
            ),
            helper.make_node("Slice", [pooled, "zero", "one", "one"], [blue]),
            helper.make_node("Reshape", [blue, "column"], [flat]),
        ]
        names.append(flat)
    cells = sum((side // stride) ** 2 for stride in _STRIDES)
    rest = np.zeros((1, cells, 4), np.float32)
    rest[..., :2], rest[..., 2:] = 0.5, np.log(BOX)
    constants = {
        "zero": np.array([0]),
        "one": np.array([1]),
        "column": np.array([1, -1, 1]),
        "full": np.array(255.0, np.float32),
        "rest": rest,
        "person": np.ones((1, cells, 1), np.float32),
        "others": np.zeros((1, cells, outputs - 6), np.float32),
    }
    nodes += [
        helper.make_node("Concat", names, ["sums"], axis=1),
        helper.make_node("Div", ["sums", "full"], ["objectness"]),
        helper.make_node("Concat", ["rest", "objectness", "person", "others"], ["output"], axis=2),
    ]
    graph = helper.make_graph(
        nodes,
        "blue_cells",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, cells, outputs])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def write_other_network(path: Path, shape: list[int | str], output: list[int | str]) -> Path:
    """A network that runs but is no detector: it passes its input through."""
    graph = helper.make_graph(
        [helper.make_node("Identity", ["images"], ["output"])],
        "identity",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, output)],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    return path
