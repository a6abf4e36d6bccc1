"""``python -m training``: settings as options, errors as one line."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import get_args, get_type_hints

import pytest

from tests.training.small import write_crops, write_people
from training.__main__ import _parser, main
from training.errors import TrainingError
from training.model_selection import SCORES
from training.networks.backbones import NAMES as BACKBONES
from training.options import settings_from
from training.presets import COMPACT, NAMES, preset
from training.settings import NetworkSettings, TeacherStudentSettings


def parse(*words: str):
    needed = ["--source", "s", "--target", "t", "--out", "o"]
    return settings_from(_parser().parse_args(["adapt", *needed, *words]))


def test_without_options_the_preset_is_used_as_it_is() -> None:
    assert parse() == COMPACT
    for name in NAMES:
        assert parse("--preset", name) == preset(name)


def test_any_setting_can_be_set() -> None:
    settings = parse(
        "--teacher-student.eps", "0.5", "--pretraining.steps", "0.3,0.6", "--style-transfer.residual", "off",
        "--seed", "3", "--network.backbone", "resnet18", "--pretraining.triplet-margin", "0.3",
    )  # fmt: skip
    assert settings.teacher_student.eps == 0.5
    assert settings.pretraining.steps == (0.3, 0.6)
    assert settings.style_transfer.residual is False
    assert settings.seed == 3
    assert settings.network.backbone == "resnet18"
    assert settings.pretraining.triplet_margin == 0.3


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--seed", "-1"], "seed cannot be -1: it is between 0"),
        (["--teacher-student.eps", "1.2"], "eps cannot be 1.2: it is between"),
        (["--teacher-student.alpha", "2"], "alpha"),
        (["--pretraining.learning-rate", "nan"], "learning_rate cannot be nan"),
        (["--network.height", "100"], "height cannot be 100: it is a multiple of 32"),
        (["--style-transfer.batch-size", "0"], "batch_size cannot be 0: it is at least 1"),
        (["--teacher-student.epochs", "0"], "epochs cannot be 0"),
        (["--pretraining.norm-group", "1"], "norm_group cannot be 1: it is 0 or at least 2"),
        (["--seed", "5000000000"], "seed"),
        (["--pretraining.steps", "0.5,inf"], "steps cannot be inf"),
        (
            ["--teacher-student.identity-weight", "0.7", "--teacher-student.triplet-weight", "0.4"],
            "cannot be more than 1 together",
        ),
    ],
)
def test_a_value_that_would_stop_the_run_hours_later_is_refused_at_once(
    words: list[str], message: str
) -> None:
    with pytest.raises(TrainingError, match=message):
        parse(*words)


def test_a_choice_that_is_none_is_refused_from_python_too() -> None:
    stage = replace(COMPACT.teacher_student, clustering="k-means")  # type: ignore[arg-type]
    with pytest.raises(TrainingError, match="clustering cannot be 'k-means': it is one of dbscan, kmeans"):
        replace(COMPACT, teacher_student=stage)


def test_the_choices_are_what_there_is() -> None:
    assert get_args(get_type_hints(NetworkSettings)["backbone"]) == BACKBONES
    assert get_args(get_type_hints(TeacherStudentSettings)["selection"]) == ("auto", *SCORES)


def test_auto_puts_an_optional_setting_back() -> None:
    assert parse("--teacher-student.eps", "auto").teacher_student.eps is None


@pytest.mark.parametrize(
    "words",
    [
        ["--pretraining.epochs", "many"],
        ["--style-transfer.residual", "maybe"],
        ["--teacher-student.clustering", "k-means"],
        ["--teacher-student.head", "memry"],
        ["--network.backbone", "resnet5"],
        ["--teacher-student.selection", "best"],
    ],
)
def test_a_value_of_the_wrong_kind_is_a_usage_error(words: list[str], capsys) -> None:
    with pytest.raises(SystemExit) as exit_:
        parse(*words)
    assert exit_.value.code == 2
    assert "invalid" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--source", "missing", "--target", "t", "--out", "run"], "does not exist"),
        (["--source", "one", "--target", "target", "--out", "run"], "two people"),
        (["--source", "source", "--target", "few", "--out", "run"], "too few"),
        (["--source", "source", "--target", "target", "--out", "run", "--preset", "tiny"], "no preset"),
        (
            ["--source", "source", "--target", "target", "--out", "run", "--network.weights", "w.pth"],
            "no weights file",
        ),
        (["--source", "source", "--target", "target", "--out", "run", "--device", "cuda:7"], "CUDA"),
        (["--source", "source", "--target", "target", "--out", "file"], "could not be written"),
        (
            [
                "--source",
                "source",
                "--target",
                "target",
                "--out",
                "run",
                "--preset",
                "smoke",
                "--network.transformer-blocks",
                "1",
                "--network.transformer-heads",
                "3",
            ],
            "cannot be built",
        ),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    words: list[str], expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    write_people(Path("one"), range(1))
    write_people(Path("source"), range(3))
    write_crops(Path("target"), range(4))
    write_crops(Path("few"), range(1), cameras=1)
    Path("file").touch()
    assert main(["adapt", "--style-transfer-enabled", "off", *words]) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("training: error: ")
    assert expected in line


def test_a_model_can_be_trained_exported_and_measured_step_by_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    write_people(Path("source"), range(6))
    write_crops(Path("target"), range(10, 16))
    small = [
        "--preset", "smoke", "--network.height", "64", "--network.width", "64", "--precision", "float32",
        "--pretraining.epochs", "1", "--pretraining.iterations-per-epoch", "2", "--teacher-student.epochs", "1",
        "--teacher-student.iterations-per-epoch", "2", "--teacher-student.expected-images", "6",
    ]  # fmt: skip
    assert main(["pretrain", "--source", "source", "--out", "first", *small]) == 0
    assert (
        main(
            [
                "teach",
                "--weights",
                "first/weights.safetensors",
                "--target",
                "target",
                "--out",
                "second",
                *small,
            ]
        )
        == 0
    )
    assert (
        main(
            [
                "export",
                "--weights",
                "second/weights.safetensors",
                "--data",
                "target",
                "--out",
                "third",
                *small,
            ]
        )
        == 0
    )
    capsys.readouterr()
    figures = []
    for model in ("second", "third"):
        assert main(["evaluate", "--model", f"{model}/model.onnx", "--data", "source", "--json"]) == 0
        figures.append(json.loads(capsys.readouterr().out))
    assert figures[0]["mAP"] == pytest.approx(figures[1]["mAP"])
    assert {"mAP", "rank1", "rank5", "rank10", "queries", "gallery"} <= set(figures[0])


def test_a_file_that_is_no_model_is_refused(tmp_path: Path, capsys) -> None:
    (tmp_path / "model.onnx").write_bytes(b"this is no model")
    write_people(tmp_path / "data", range(2))
    assert main(["evaluate", "--model", str(tmp_path / "model.onnx"), "--data", str(tmp_path / "data")]) == 2
    assert "no ONNX model" in capsys.readouterr().err
