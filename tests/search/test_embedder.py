from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from reid_desk.errors import ModelError, ReidDeskError
from reid_desk.search import Embedder, runtime
from tests.fixtures_model import write_embedder

ROOT = Path(__file__).parents[2]


@pytest.fixture
def model(tmp_path: Path) -> Path:
    write_embedder(tmp_path / "model.onnx", height=64, width=32, size=16)
    return tmp_path / "model.onnx"


def people(count: int) -> list[np.ndarray]:
    chance = np.random.default_rng(0)
    return [
        chance.integers(0, 256, (*chance.integers(30, 200, 2), 3), dtype=np.uint8) // 64 * 64
        for _ in range(count)
    ]


def test_embeddings_are_of_length_one_whatever_the_crops_sizes(model: Path) -> None:
    embeddings = Embedder(model, "cpu").embed(people(5))
    assert embeddings.dtype == np.float32
    assert embeddings.shape == (5, 16)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1.0, atol=1e-5)


def test_crops_are_resized_as_in_training(model: Path) -> None:
    (person,) = people(1)
    resized = np.asarray(Image.fromarray(person).convert("RGB").resize((32, 64), Image.Resampling.BILINEAR))
    embedder = Embedder(model, "cpu")
    np.testing.assert_array_equal(embedder.embed([person]), embedder.embed([resized]))


def test_a_crop_is_seen_the_same_in_any_company(model: Path) -> None:
    crowd = people(150)  # more than two batches
    embedder = Embedder(model, "cpu", threads=1)
    together = embedder.embed(crowd)
    alone = np.concatenate([embedder.embed([person]) for person in crowd])
    np.testing.assert_allclose(together, alone, atol=1e-6)


def test_no_crops_have_no_embeddings(model: Path) -> None:
    assert Embedder(model, "cpu").embed([]).shape == (0, 16)


def test_the_card_tells_what_the_model_is(model: Path) -> None:
    embedder = Embedder(model, "cpu")
    assert (embedder.height, embedder.width, embedder.size) == (64, 32, 16)
    assert embedder.card["backbone"] == "colour grid"
    assert embedder.device == "cpu"


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((8, 8), dtype=np.uint8),
        np.zeros((8, 8, 4), dtype=np.uint8),
        np.zeros((8, 8, 3), dtype=np.float32),
        np.zeros((0, 8, 3), dtype=np.uint8),
    ],
)
def test_what_is_no_rgb_image_is_refused(model: Path, image: np.ndarray) -> None:
    with pytest.raises(ValueError, match="uint8"):
        Embedder(model, "cpu").embed([image])


def edited(model: Path, edit: Callable[[onnx.ModelProto], object]) -> Path:
    network = onnx.load(model)
    edit(network)
    onnx.save(network, model)
    return model


def set_card(**changes: object) -> Callable[[onnx.ModelProto], None]:
    def edit(network: onnx.ModelProto) -> None:
        card = json.loads(network.metadata_props[0].value) | changes
        helper.set_model_props(network, {"reid_desk.card": json.dumps(card)})

    return edit


def rename_input(network: onnx.ModelProto) -> None:
    network.graph.input[0].name = "frames"
    network.graph.node[0].input[0] = "frames"


def take_floats(network: onnx.ModelProto) -> None:
    network.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT


def fix_the_batch(network: onnx.ModelProto) -> None:
    network.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 1


def skip_normalisation(network: onnx.ModelProto) -> None:
    del network.graph.node[-1]
    network.graph.node[-1].output[0] = "embeddings"


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda network: network.ClearField("metadata_props"), "it has no card"),
        (lambda network: helper.set_model_props(network, {"reid_desk.card": "{"}), "card of .* is damaged"),
        (lambda network: helper.set_model_props(network, {"reid_desk.card": "[1]"}), "card of .* is damaged"),
        (set_card(height=-1), "impossible sizes"),
        (set_card(height=128), "another size than its card"),
        (set_card(embedding_size=17), "embeddings are of another size"),
        (rename_input, "its input is not `images`"),
        (take_floats, "does not take uint8"),
        (fix_the_batch, "fixed number of images"),
        (skip_normalisation, "not of length one"),
    ],
)
def test_what_is_no_embedder_is_refused_in_a_line(
    model: Path, edit: Callable[[onnx.ModelProto], object], message: str
) -> None:
    with pytest.raises(ModelError, match=message) as caught:
        Embedder(edited(model, edit), "cpu")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"rubbish" * 1000, None])
def test_damaged_and_missing_files_are_refused(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "model.onnx"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(
        ModelError, match="damaged or no ONNX model" if content is not None else "no model file"
    ):
        Embedder(path, "cpu")


def test_a_cut_off_model_is_refused(model: Path) -> None:
    whole = model.read_bytes()
    for length in range(1, len(whole), len(whole) // 20):
        model.write_bytes(whole[:length])
        with pytest.raises(ModelError):
            Embedder(model, "cpu")


def test_a_detector_is_told_from_an_embedder() -> None:
    detector = ROOT.parent / "shared" / "models" / "yolox_nano.onnx"
    if not detector.exists():
        pytest.skip("the detector of the shared folder is not on this machine")
    with pytest.raises(ModelError, match="is no embedding model"):
        Embedder(detector, "cpu")


def test_asking_for_a_gpu_that_is_not_there_is_told(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runtime, "cuda_works", lambda: False)
    assert Embedder(model).device == "cpu"
    with pytest.raises(ReidDeskError, match="No CUDA GPU can be used"):
        Embedder(model, "cuda")
    with pytest.raises(ValueError, match="'tpu' is none of"):
        Embedder(model, "tpu")


def test_nothing_is_said_about_providers_that_do_not_work(model: Path) -> None:
    program = (
        "import sys, pathlib; from reid_desk.search import Embedder; Embedder(pathlib.Path(sys.argv[1]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(model)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout + done.stderr == ""
