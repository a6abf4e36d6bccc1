"""Variants side by side: shared stages, resuming, the table."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.training.small import tiny_settings, write_crops, write_people
from training.ablation import ablate, as_markdown
from training.errors import TrainingError
from training.options import with_options
from training.plans import PLANS, Variant, open_plan
from training.presets import COMPACT, PAPER, SMOKE
from training.progress import Silent


class Recorder(Silent):
    def __init__(self) -> None:
        self.phases: list[str] = []

    def phase(self, name: str, text: str) -> None:
        self.phases.append(name)


@pytest.fixture
def folders(tmp_path: Path) -> dict[str, Path]:
    return {
        "source": write_people(tmp_path / "source", range(6)),
        "target": write_crops(tmp_path / "target", range(10, 16)),
        "test": write_people(tmp_path / "test", range(10, 16), tint=(1.2, 0.9, 0.7)),
    }


def run(
    folders: dict[str, Path], out: Path, plan: tuple[Variant, ...]
) -> tuple[list[dict[str, Any]], list[str]]:
    tiny = tiny_settings()
    settings = replace(
        tiny,
        style_transfer_enabled=False,
        teacher_student=replace(tiny.teacher_student, epochs=1, clustering="kmeans", kmeans_clusters=5),
    )
    recorder = Recorder()
    rows = ablate(**folders, out=out, plan=plan, settings=settings, seeds=(0, 1), reporter=recorder)
    return rows, recorder.phases


def test_variants_share_stages_and_a_second_call_computes_nothing(
    folders: dict[str, Path], tmp_path: Path
) -> None:
    plan = (
        Variant("five clusters"),
        Variant("four clusters", {"teacher_student.kmeans_clusters": "4"}),
        Variant("more clusters than images", {"teacher_student.kmeans_clusters": "500"}),
    )
    rows, _ = run(folders, tmp_path / "out", plan)
    assert len(list((tmp_path / "out" / "shared").iterdir())) == 2  # one a seed
    five, four, failed = rows
    assert five["pretrained mAP"] == four["pretrained mAP"]
    assert 0 < five["adapted mAP"] <= 1
    assert five["adapted mAP spread"] is not None
    assert failed["adapted mAP"] is None
    assert "500 clusters" in failed["failed"]
    with (tmp_path / "out" / "table.csv").open() as file:
        table = list(csv.DictReader(file))
    assert [row["variant"] for row in table] == [variant.name for variant in plan]
    assert float(table[0]["adapted mAP"]) == five["adapted mAP"]
    assert (tmp_path / "out" / "table.md").read_text() == as_markdown(rows)
    again, phases = run(folders, tmp_path / "out", plan)
    assert again == rows
    assert not phases


def test_the_table_shows_per_cent_and_spread() -> None:
    figures = {f"{stage} {figure}": 0.5 for stage in ("pretrained", "adapted") for figure in ("mAP", "rank1")}
    spreads = {f"{key} spread": 0.0123 for key in figures}
    row = {"variant": "DBSCAN", "seeds": 2, "minutes": 3.21, "failed": "", "clustered otherwise": 0.0}
    row |= figures | spreads
    assert "| DBSCAN | 2 | 50.0 ± 1.2 | 50.0 ± 1.2 | 50.0 ± 1.2 | 3.2 |" in as_markdown([row])
    assert "| DBSCAN (25% of the epochs clustered otherwise" in as_markdown(
        [row | {"clustered otherwise": 0.25}]
    )


@pytest.mark.parametrize("plan", PLANS.values(), ids=PLANS)
@pytest.mark.parametrize("base", [PAPER, COMPACT, SMOKE], ids=lambda settings: settings.preset)
def test_every_plan_is_made_of_settings_and_its_variants_differ(plan: tuple[Variant, ...], base: Any) -> None:
    made = [with_options(base, variant.settings) for variant in plan]
    assert len(set(made)) == len(plan)


def test_a_plan_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    file.write_text(
        '[[variant]]\nname = "a"\n"teacher_student.eps" = 0.6\n"style_transfer_enabled" = false\n'
        '[[variant]]\nname = "b"\n"pretraining.steps" = [0.3, 0.6]\n'
    )
    first, second = open_plan(str(file))
    changed = with_options(COMPACT, first.settings)
    assert changed.teacher_student.eps == 0.6
    assert changed.style_transfer_enabled is False
    assert with_options(COMPACT, second.settings).pretraining.steps == (0.3, 0.6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "there is no plan"),
        ("variant = 3", "cannot be understood"),
        ("[[variant]]\n", "cannot be understood"),
        ('[[variant]]\nname = "a"\n[[variant]]\nname = "a"\n', "a name for each"),
        ("variant = []", "at least one"),
    ],
)
def test_a_plan_that_is_none_is_refused(text: str | None, message: str, tmp_path: Path) -> None:
    file = tmp_path / "plan.toml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(TrainingError, match=message):
        open_plan(str(file))


@pytest.mark.parametrize(
    ("options", "message"),
    [({"teacher_student.epz": "1"}, "no setting"), ({"teacher_student.eps": "wide"}, "cannot be 'wide'")],
)
def test_a_setting_that_is_none_is_refused(options: dict[str, str], message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        with_options(COMPACT, options)
