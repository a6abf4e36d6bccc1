from __future__ import annotations

import errno
import hashlib
import json
import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from reid_desk.errors import ModelError, SiteError
from reid_desk.site import Site
from tests.fixtures_model import write_embedder
from tests.site.made_up import add_clip, track


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_embedder(tmp_path / "made" / "model.onnx", height=64, width=32)
    return tmp_path / "made"


def test_a_model_is_copied_with_its_card_and_weights(site: Site, folder: Path) -> None:
    (folder / "weights.safetensors").write_bytes(b"weights")
    (folder / "notes.txt").write_bytes(b"not part of a model")

    model = site.add_model(folder, name="adapted")

    assert model.path == site.path / "models" / model.id / "model.onnx"
    assert model.path.read_bytes() == (folder / "model.onnx").read_bytes()
    assert {entry.name for entry in model.path.parent.iterdir()} == {
        "model.onnx",
        "card.json",
        "weights.safetensors",
    }
    assert (model.name, model.run_id) == ("adapted", None)
    assert (model.card["height"], model.card["width"], model.card["embedding_size"]) == (64, 32, 32)
    assert model.card["sha256"] == hashlib.sha256(model.path.read_bytes()).hexdigest()
    assert json.loads(model.path.with_name("card.json").read_text()) == model.card


def test_a_bare_onnx_file_will_do(site: Site, folder: Path) -> None:
    (folder / "card.json").unlink()
    renamed = (folder / "model.onnx").rename(folder / "bought.onnx")
    model = site.add_model(renamed, name="bought")
    assert model.card["height"] == 64
    assert model.path.name == "model.onnx"


def test_one_model_is_current_and_can_be_rolled_back(site: Site, folder: Path) -> None:
    assert site.current_model() is None
    first, second = site.add_model(folder, name="first"), site.add_model(folder, name="second")
    assert [model.id for model in site.models()] == [first.id, second.id]
    assert site.current_model() is None

    site.use_model(first.id)
    site.use_model(second.id)
    assert site.current_model() == second
    site.use_model(first.id)
    assert site.current_model() == first

    with pytest.raises(SiteError, match="no model 'm9'; its models are: m1, m2"):
        site.use_model("m9")
    with pytest.raises(SiteError, match="m9"):
        site.use_complete_model("m9")
    assert site.current_model() == first


def test_a_model_remembers_its_run(site: Site, folder: Path) -> None:
    run = site.start_run("adapt", {})
    assert site.add_model(folder, name="adapted", run_id=run.id).run_id == run.id


@pytest.mark.parametrize(
    ("break_it", "message"),
    [
        (lambda folder: (folder / "model.onnx").unlink(), "Cannot read the model"),
        (lambda folder: (folder / "model.onnx").write_bytes(b"rubbish" * 99), "damaged or no ONNX file"),
        (lambda folder: (folder / "model.onnx").write_bytes(b""), "carries no card"),
        (lambda folder: (folder / "card.json").write_text("{"), "card.json is damaged"),
        (
            lambda folder: (folder / "card.json").write_text('{"sha256": "ab"}'),
            "not the file that its card.json",
        ),
        (lambda folder: set_card(folder, "{"), "card of .* is damaged"),
        (lambda folder: set_card(folder, "[]"), "does not tell the sizes"),
        (
            lambda folder: set_card(folder, '{"format": 1, "height": 64, "width": 0}'),
            "does not tell the sizes",
        ),
        (
            lambda folder: set_card(folder, '{"format": 2, "height": 64, "width": 32, "embedding_size": 8}'),
            "card of format 2",
        ),
    ],
)
def test_what_is_no_model_is_refused_and_leaves_nothing(
    site: Site, folder: Path, break_it, message: str
) -> None:  # type: ignore[no-untyped-def]
    break_it(folder)
    with pytest.raises(ModelError, match=message) as caught:
        site.add_model(folder, name="broken")
    assert "\n" not in str(caught.value)
    assert site.models() == []
    assert not (site.path / "models").exists() or list((site.path / "models").iterdir()) == []


def set_card(folder: Path, card: str) -> None:
    model = onnx.load(folder / "model.onnx")
    onnx.helper.set_model_props(model, {"reid_desk.card": card})
    onnx.save(model, folder / "model.onnx")
    (folder / "card.json").unlink()


def test_a_disk_that_fills_up_leaves_no_half_model(
    site: Site, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SiteError, match="the disk is full"):
        site.add_model(folder, name="large")
    assert site.models() == []
    assert list((site.path / "models").iterdir()) == []


def test_a_folder_left_by_a_killed_process_is_not_taken_for_a_model(site: Site, folder: Path) -> None:
    (site.path / "models" / "m1").mkdir(parents=True)
    model = site.add_model(folder, name="next")
    assert model.id == "m2"
    assert site.models() == [model]


def test_a_model_is_used_once_it_has_a_vector_of_every_crop(site: Site, folder: Path) -> None:
    clip = add_clip(site, tracks=[track(crops=3)])
    model = site.add_model(folder, name="adapted")
    first, *rest = [crop.id for crop in site.crops()]
    site.store_vectors(model.id, [first], np.ones((1, 32)))
    assert not site.use_complete_model(model.id)
    assert site.current_model() is None

    site.store_vectors(model.id, rest, np.ones((2, 32)))
    assert site.use_complete_model(model.id)
    assert site.current_model() == model
    site.remove_clip(clip)
    assert site.use_complete_model(model.id)
