"""The three stages in a row, small but whole."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.training.small import tiny_settings, write_crops, write_people
from training.adaptation import adapt
from training.errors import DatasetError, TrainingError, WeightsError
from training.model_file import ModelFile
from training.progress import Silent
from training.run import open_run
from training.weights import read_state


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    write_people(folder / "source", range(8))
    write_crops(folder / "target", range(100, 106))
    write_people(folder / "test", range(100, 106), tint=(1.2, 0.9, 0.7))
    return folder


class Recorder(Silent):
    """Remembers phases and figures; asks to stop at the n-th look."""

    def __init__(self, stop_at: int | None = None) -> None:
        self.phases: list[str] = []
        self.figures: dict[str, float] = {}
        self.images: list[Path] = []
        self._looks, self._stop_at = 0, stop_at

    def phase(self, name: str, text: str) -> None:
        assert text
        self.phases.append(name)

    def metric(self, **values: float) -> None:
        self.figures |= values

    def image(self, name: str, path: Path) -> None:
        assert path.exists()
        self.images.append(path)

    def check_cancelled(self) -> None:
        self._looks += 1
        if self._stop_at is not None and self._looks >= self._stop_at:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def finished(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict, Recorder]:
    out, reporter = tmp_path_factory.mktemp("run") / "run", Recorder()
    report = adapt(
        data / "source", data / "target", out, tiny_settings(), test=data / "test", reporter=reporter
    )
    return out, report, reporter


def test_a_run_reports_what_it_measured(finished: tuple[Path, dict, Recorder]) -> None:
    out, report, reporter = finished
    assert json.loads((out / "report.json").read_text()) == report
    for name in ("source_only", "pretrained", "adapted"):
        assert {"mAP", "rank1", "rank5", "rank10"} <= set(report[name])
        assert 0 < report[name]["mAP"] <= 1
    seconds = report["seconds"]
    assert seconds["total"] == pytest.approx(
        sum(seconds[key] for key in ("style_transfer", "pretraining", "adaptation"))
    )
    assert [record["epoch"] for record in report["history"]] == [1, 2]
    assert report["clusters"] >= 2
    assert {"style_transfer", "translate", "source_only", "pretraining", "adaptation", "export"} <= set(
        reporter.phases
    )
    assert {"generator", "discriminator", "siamese", "loss", "clusters", "noise", "score"} <= set(
        reporter.figures
    )
    assert reporter.images


def test_the_model_file_gives_the_networks_embeddings(
    finished: tuple[Path, dict, Recorder], data: Path
) -> None:
    out, report, _ = finished
    model = ModelFile(out / "model.onnx")
    card = json.loads((out / "card.json").read_text())
    assert model.card["embedding_size"] == card["embedding_size"] == 512
    assert card["cosine"] >= 0.9999
    assert card["trained_on"] == {"source": "source", "target": "target"}
    assert card["metrics"]["mAP"] == report["adapted"]["mAP"]
    embeddings = model.embed(np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), dtype=np.uint8))
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-5)
    assert (out / "source_only.onnx").exists()
    assert read_state(out / "weights.safetensors")


def test_the_report_tells_how_fast_each_stage_was(finished: tuple[Path, dict, Recorder]) -> None:
    speed = finished[1]["speed"]
    assert {"style_transfer", "pretraining", "adaptation"} <= set(speed)
    for figures in speed.values():
        assert figures["images_per_second"] > 0
        assert 0 <= figures["waiting"] < 1


def test_a_finished_run_leaves_no_images_behind(finished: tuple[Path, dict, Recorder]) -> None:
    assert not (finished[0] / "cache").exists()


@pytest.mark.parametrize("stop_at", [12, 22])
def test_a_stopped_run_resumes_to_the_same_weights(
    finished: tuple[Path, dict, Recorder], data: Path, tmp_path: Path, stop_at: int
) -> None:
    arguments = (data / "source", data / "target", tmp_path / "run", tiny_settings())
    with pytest.raises(KeyboardInterrupt):
        adapt(*arguments, reporter=Recorder(stop_at))
    adapt(*arguments, resume=True, reporter=Silent())
    expected, resumed = (read_state(out / "weights.safetensors") for out in (finished[0], tmp_path / "run"))
    for key, value in expected.items():
        assert torch.equal(value, resumed[key]), key


def test_a_run_is_not_overwritten(finished: tuple[Path, dict, Recorder], data: Path) -> None:
    with pytest.raises(TrainingError, match="holds a run already"):
        adapt(data / "source", data / "target", finished[0], tiny_settings(), reporter=Silent())


def test_a_run_resumes_with_its_own_settings_only(finished: tuple[Path, dict, Recorder], data: Path) -> None:
    with pytest.raises(TrainingError, match="other settings"):
        adapt(
            data / "source",
            data / "target",
            finished[0],
            tiny_settings(seed=1),
            resume=True,
            reporter=Silent(),
        )


def test_a_run_resumes_with_its_own_images_only(
    finished: tuple[Path, dict, Recorder], data: Path, tmp_path: Path
) -> None:
    other = write_people(tmp_path / "other", range(7))
    for source, target, name in (
        (other, data / "target", "source"),
        (data / "source", other, "target"),
    ):
        with pytest.raises(TrainingError, match=f"other {name} images"):
            adapt(source, target, finished[0], tiny_settings(), resume=True, reporter=Silent())


def test_where_weights_lie_and_what_computes_may_change_when_a_run_is_resumed(
    finished: tuple[Path, dict, Recorder], data: Path
) -> None:
    settings = tiny_settings(device="cpu")
    open_run(finished[0], settings, {}, reporter=Silent(), resume=True)
    moved = replace(settings, network=replace(settings.network, weights="elsewhere.pth"))
    open_run(finished[0], moved, {}, reporter=Silent(), resume=True)


def test_weights_that_are_missing_are_missed_before_any_stage(data: Path, tmp_path: Path) -> None:
    settings = tiny_settings()
    settings = replace(settings, network=replace(settings.network, weights=str(tmp_path / "none.pth")))
    recorder = Recorder()
    with pytest.raises(WeightsError, match=r"none\.pth"):
        adapt(data / "source", data / "target", tmp_path / "run", settings, reporter=recorder)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_bad_input_makes_no_run_folder(data: Path, tmp_path: Path) -> None:
    write_people(tmp_path / "one", range(1))
    with pytest.raises(DatasetError, match="two people"):
        adapt(tmp_path / "one", data / "target", tmp_path / "run", tiny_settings(), reporter=Silent())
    write_crops(tmp_path / "few", range(1), cameras=1)
    with pytest.raises(DatasetError, match="too few"):
        adapt(data / "source", tmp_path / "few", tmp_path / "run", tiny_settings(), reporter=Silent())
    assert not (tmp_path / "run").exists()


def test_style_transfer_can_be_left_out(data: Path, tmp_path: Path) -> None:
    reporter = Recorder()
    settings = replace(tiny_settings(), style_transfer_enabled=False)
    report = adapt(data / "source", data / "target", tmp_path / "run", settings, reporter=reporter)
    assert "style_transfer" not in reporter.phases
    assert "adapted" not in report  # nothing to measure on was given


def test_a_compiler_that_is_missing_is_missed_before_any_stage(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_compiler(*_: object) -> None:
        raise RuntimeError("InvalidCxxCompiler: no compiler is there\nand more lines")

    monkeypatch.setattr(torch, "compile", no_compiler)
    reporter = Recorder()
    with pytest.raises(TrainingError, match=r"no compiler is there\).*set compile to off"):
        adapt(
            data / "source", data / "target", tmp_path / "run", replace(tiny_settings(), compile=True),
            reporter=reporter,
        )  # fmt: skip
    assert "style_transfer" not in reporter.phases


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_compiled_networks_give_what_plain_ones_give(
    finished: tuple[Path, dict, Recorder], data: Path, tmp_path: Path
) -> None:
    settings = replace(tiny_settings(), compile=True)
    report = adapt(
        data / "source", data / "target", tmp_path / "run", settings, test=data / "test", reporter=Silent()
    )
    assert report["clusters"] == finished[1]["clusters"]
    assert report["adapted"]["mAP"] == pytest.approx(finished[1]["adapted"]["mAP"], abs=0.05)
