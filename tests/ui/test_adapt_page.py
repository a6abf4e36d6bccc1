from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from reid_desk.jobs.events import Cancelled, Failed, Finished, Metric, Phase, Progress
from reid_desk.jobs.spec import worker_command
from reid_desk.site import Site
from reid_desk.ui.app import App
from reid_desk.ui.models.adaptation import Adaptation, Series
from reid_desk.ui.widgets.plots import REDRAW_MS
from reid_desk.ui.window import Window
from tests.ui.filled_site import add_clip, add_model, add_source, write_events


def test_what_is_missing_is_said_and_the_button_waits(empty_window: Window) -> None:
    setup = empty_window.adapt.setup
    said = {item.level: item.text for item in setup.readiness(empty_window.desk.summary)[:2]}
    assert "No labelled source yet" in said["bad"]
    assert not empty_window.actions_["adapt.start"].isEnabled()


def test_a_ready_site_says_what_it_will_learn_from(filled_window: Window) -> None:
    filled_window.show_page("adapt")
    texts = [item.text for item in filled_window.adapt.setup.readiness(filled_window.desk.summary)]
    assert texts[0] == "Only 54 crops from 3 cameras to adapt to. More footage makes a better model."
    assert "street-people: 12 people in 48 images" in texts[1]
    assert "harbour-staff measures the gain" in texts[2]
    assert filled_window.actions_["adapt.start"].isEnabled()


def test_the_set_named_is_the_one_that_models_are_measured_on(
    open_window: Callable[[Path], Window], tmp_path: Path
) -> None:
    with Site.create(tmp_path / "site") as site:
        add_clip(site, 0, 0, [1, 2], 2, tmp_path)
        for name in ("first", "second", "first"):
            folder = tmp_path / name
            site.add_source(name, folder, "<identity>/<camera>", 2, 2, 8, role="evaluation", replace=True)
        add_model(site, tmp_path / "model", name="Adapted", seed=1)
    window = open_window(tmp_path / "site")
    said = [item.text for item in window.adapt.setup.readiness(window.desk.summary)]
    assert "first measures the gain" in said
    assert "Evaluate it on first." in window.dashboard._empty._text.text()


def test_the_button_starts_the_job_with_the_choices(filled_window: Window, qtbot: QtBot) -> None:
    page = filled_window.adapt
    filled_window.show_page("adapt")
    page.setup.preset.setCurrentIndex(page.setup.preset.findData("smoke"))
    filled_window.actions_["adapt.start"].trigger()
    job = page.desk.jobs.current
    assert job.spec.kind == "adapt"
    assert job.spec.arguments == {"source": "street-people", "preset": "smoke"}
    assert not page.setup.isVisible()
    assert page.desk.preferences.text("preset") == "smoke"
    qtbot.waitUntil(lambda: job.state == "finished", timeout=30_000)
    assert page.setup.isVisible()


def test_the_stages_are_shown_live_and_a_cancel_is_remembered(
    filled_window: Window, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = filled_window.adapt
    filled_window.show_page("adapt")
    qtbot.waitUntil(lambda: page.adaptation.stages[2].state == "finished")  # the run that the site holds
    read_again: list[Path] = []
    monkeypatch.setattr("reid_desk.ui.pages.adapt.read_events", read_again.append)
    write_events(tmp_path, until="adaptation")
    job = page.follow(
        page.desk.start_job("adapt", "Adapt", behaviour="replay", events=str(tmp_path / "events.jsonl"))
    )
    qtbot.waitUntil(lambda: page.adaptation.stages[2].figures.get("epoch") == 15, timeout=30_000)
    assert [stage.state for stage in page.adaptation.stages] == ["finished", "finished", "running"]
    qtbot.waitUntil(lambda: page.cards[0]._plot.canvas is not None)
    qtbot.waitUntil(lambda: not page._translation._image.isNull())
    qtbot.waitUntil(lambda: "23 groups" in page._cluster_text.text())
    assert "loss" in page.cards[2]._legend.accessibleName()
    assert page._running.isVisible()
    filled_window.actions_["job.cancel"].trigger()
    qtbot.waitUntil(lambda: job.state == "cancelled", timeout=30_000)
    assert page.adaptation.stages[2].state == "cancelled"
    assert not page._running.isVisible()
    assert not read_again  # the older run of the site does not take the place of the cancelled one


def test_an_interrupted_run_is_offered_and_resumed(
    filled: Path, open_window: Callable[[Path], Window], qtbot: QtBot
) -> None:
    with Site.open(filled) as site:
        run = site.start_run("adapt", {"arguments": {"preset": "smoke"}})
        write_events(run.folder, until="adaptation")
        (run.folder / "settings.json").write_text("{}")
        site.update_run(run.id, "interrupted", message="The machine was switched off.")
    window = open_window(filled)
    window.show_page("adapt")
    page = window.adapt
    assert window.actions_["adapt.resume"].isEnabled()
    qtbot.waitUntil(lambda: page.adaptation.stages[1].state == "finished", timeout=30_000)
    assert page.adaptation.stages[2].state == "cancelled"
    window.actions_["adapt.resume"].trigger()
    job = page.desk.jobs.current
    assert job.spec.run_id == run.id
    assert job.spec.arguments == {"resume": True}


@pytest.mark.parametrize(("kind", "offered"), [("adapt", False), ("demo", True)])
def test_a_run_that_had_not_begun_to_train_is_resumed_only_where_it_cannot_be_started_anew(
    filled: Path, open_window: Callable[[Path], Window], kind: str, offered: bool
) -> None:
    with Site.open(filled) as site:
        run = site.start_run(kind, {})
        site.update_run(run.id, "failed", message="The source is gone.")
    assert open_window(filled).actions_["adapt.resume"].isEnabled() is offered


def test_a_run_whose_process_is_gone_is_found_at_the_start(
    filled: Path, open_window: Callable[[Path], Window], qtbot: QtBot
) -> None:
    with Site.open(filled) as site:
        run = site.start_run("adapt", {})
        (run.folder / "settings.json").write_text("{}")
        site.update_run(run.id, "running")
    window = open_window(filled)
    qtbot.waitUntil(lambda: window.adapt.resumable is not None, timeout=30_000)
    assert window.adapt.resumable.id == run.id


def test_a_run_whose_worker_dies_can_be_resumed_at_once(filled_window: Window, qtbot: QtBot) -> None:
    site = filled_window.desk.site
    run = site.start_run("adapt", {})
    (run.folder / "settings.json").write_text("{}")
    site.update_run(run.id, "running")
    filled_window.adapt.follow(filled_window.desk.start_job("adapt", "Adapt", behaviour="killed"))
    qtbot.waitUntil(lambda: filled_window.adapt.resumable is not None, timeout=30_000)
    assert filled_window.adapt.resumable.id == run.id
    assert site.run(run.id).state == "interrupted"
    qtbot.waitUntil(filled_window.actions_["adapt.resume"].isEnabled)


def test_the_outcome_compares_and_the_choice_can_be_undone(filled_window: Window, qtbot: QtBot) -> None:
    filled_window.show_page("adapt")
    page, actions, site = filled_window.adapt, filled_window.actions_, filled_window.desk.site
    new, old = page.choice.new, page.choice.old
    assert "mAP rose by 24.0 points" in page.outcome._verdict.text()
    assert actions["adapt.keep_old"].isEnabled()
    assert not actions["adapt.use_new"].isEnabled()
    actions["adapt.keep_old"].trigger()
    qtbot.waitUntil(lambda: site.current_model().id == old.id, timeout=30_000)
    qtbot.waitUntil(actions["adapt.use_new"].isEnabled)
    filled_window.desk.undo.undo()
    qtbot.waitUntil(lambda: site.current_model().id == new.id, timeout=30_000)
    filled_window.desk.undo.redo()
    qtbot.waitUntil(lambda: site.current_model().id == old.id, timeout=30_000)


def test_a_model_that_has_not_seen_every_crop_is_shown_them_before_it_is_used(
    filled_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    page, actions, desk = filled_window.adapt, filled_window.actions_, filled_window.desk
    add_clip(desk.site, 0, 7, [1, 2], 2, tmp_path)
    new, old = page.choice.new, page.choice.old
    actions["adapt.keep_old"].trigger()
    qtbot.waitUntil(lambda: desk.jobs.current is not None, timeout=30_000)
    job = desk.jobs.current
    assert (job.spec.kind, job.spec.arguments) == ("embed", {"model": old.id, "use": True})
    assert not actions["adapt.keep_old"].isEnabled()
    assert desk.site.current_model().id == new.id


def test_a_change_of_model_that_waits_is_called_off_by_undo(
    filled_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    desk = filled_window.desk
    filled_window.desk.start_job("import", "Import", behaviour="slow")
    add_clip(desk.site, 0, 7, [1, 2], 2, tmp_path)
    filled_window.actions_["adapt.keep_old"].trigger()
    qtbot.waitUntil(lambda: len(desk.jobs.jobs()) == 2, timeout=30_000)
    change = desk.jobs.jobs()[1]
    desk.undo.undo()
    assert change.state == "cancelled"


def test_the_real_worker_brings_the_old_model_up_to_date_and_into_use(
    desk_app: App, filled: Path, open_window: Callable[[Path], Window], qtbot: QtBot, tmp_path: Path
) -> None:
    desk_app._worker = worker_command
    window = open_window(filled)
    site, old = window.desk.site, window.adapt.choice.old
    add_clip(site, 0, 7, [1, 2], 2, tmp_path)
    window.actions_["adapt.keep_old"].trigger()
    qtbot.waitUntil(lambda: site.current_model().id == old.id, timeout=60_000)
    assert site.missing_vectors(old.id) == []
    qtbot.waitUntil(window.actions_["adapt.use_new"].isEnabled, timeout=30_000)


def test_a_failed_stage_is_told_apart() -> None:
    told = Adaptation()
    for event in (
        Phase("style_transfer", "a"),
        Progress(3, 10),
        Phase("pretraining", "b"),
        Failed("out of memory"),
    ):
        told.take(event)
    assert [stage.state for stage in told.stages] == ["finished", "failed", "waiting"]


@pytest.mark.parametrize("last", [Finished({}), Cancelled()])
def test_figures_that_are_no_numbers_are_left_out(last: object) -> None:
    told = Adaptation()
    for event in (Phase("adaptation", "c"), Metric({"loss": None, "epoch": 1}), Metric({"loss": 2.0}), last):
        told.take(event)
    assert told.stages[2].series["loss"].values == [2.0]
    assert told.stages[2].state == ("finished" if isinstance(last, Finished) else "cancelled")


def test_a_long_series_is_thinned_out_evenly() -> None:
    series = Series()
    for value in range(100_000):
        series.add(float(value))
    assert len(series.values) <= 2_001
    assert series.values == series.places
    assert series.places[1] - series.places[0] == series.places[-1] - series.places[-2]


def test_plots_are_redrawn_at_most_ten_times_a_second(filled_window: Window, qtbot: QtBot) -> None:
    filled_window.show_page("adapt")
    plot = filled_window.adapt.cards[0]._plot
    drawn = []
    original = plot._draw
    plot._redraw.timeout.disconnect()
    plot._redraw.timeout.connect(lambda: (drawn.append(1), original()))
    began = time.monotonic()
    for k in range(200):
        plot.show_lines({"loss": ([0.0, 1.0], [1.0, float(k)])})
        qtbot.wait(2)
    spent_ms = 1000 * (time.monotonic() - began)
    assert 1 <= len(drawn) <= spent_ms / REDRAW_MS + 1 < 200


def test_the_adapted_site_says_how_long_it_took(filled_window: Window) -> None:
    filled_window.adapt.setup.refresh()
    assert "The last run with this preset took" in filled_window.adapt.setup._promise.text()


def test_the_dashboard_plots_the_newest_before_and_after(
    filled_window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    filled_window.show_page("dashboard")
    page = filled_window.dashboard
    assert page.model.rowCount() == 2
    assert set(page.plot._lines) == {
        "Adapted 2026-11-20 03:42, after adaptation",
        "Adapted 2026-11-20 03:42, before adaptation",
    }
    assert page.model.index(0, 3).data() == "58.0 %"
    assert "Rests on 120 queries." in page._note.text()
    assert page.export_png(tmp_path / "cmc.png")
    assert QImage(str(tmp_path / "cmc.png")).width() > 400
    page.export_csv(tmp_path / "figures.csv")
    lines = (tmp_path / "figures.csv").read_text().splitlines()
    assert lines[0].startswith("model,label,data,measured_at,mAP,rank1,rank5,rank10,queries,gallery,cmc_1,")
    assert len(lines) == 3
    assert all(len(line.split(",")) == len(lines[0].split(",")) for line in lines)


def test_few_queries_are_no_measurement(filled: Path, open_window: Callable[[Path], Window]) -> None:
    with Site.open(filled) as site:
        few = json.loads(json.dumps(dict(site.evaluations()[0].metrics))) | {"queries": 3}
        site.add_evaluation(site.current_model().id, "measured", "tiny", few)
    window = open_window(filled)
    window.show_page("dashboard")
    window.dashboard._table.selectRow(0)
    assert "few: take the curve as a hint" in window.dashboard._note.text()


def test_the_model_is_evaluated_by_a_job(filled_window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    filled_window.show_page("dashboard")
    filled_window.actions_["dashboard.evaluate"].trigger()
    job = filled_window.desk.jobs.current
    assert (job.spec.kind, job.spec.arguments) == ("evaluate", {})
    qtbot.waitUntil(lambda: job.state == "finished", timeout=30_000)
    assert filled_window.dashboard.evaluate(tmp_path).spec.arguments == {"data": str(tmp_path)}


def test_an_empty_dashboard_says_what_to_do(empty_window: Window, qtbot: QtBot, tmp_path: Path) -> None:
    page = empty_window.dashboard
    assert "to measure with" in page._empty._text.text()
    add_source(empty_window.desk.site, tmp_path / "staff", role="evaluation", people=2)
    empty_window.desk.refresh()
    qtbot.waitUntil(lambda: "Adapt to the site first" in page._empty._text.text())


def test_a_job_is_paused_goes_on_and_can_be_cancelled_while_it_stands_still(
    filled_window: Window, qtbot: QtBot
) -> None:
    page, actions = filled_window.adapt, filled_window.actions_
    filled_window.show_page("adapt")
    job = page.follow(page.desk.start_job("adapt", "Adapt", behaviour="pausing"))
    qtbot.waitUntil(lambda: job.done == 1, timeout=30_000)
    assert actions["job.pause"].isEnabled()
    assert not actions["job.go_on"].isEnabled()
    actions["job.pause"].trigger()
    qtbot.waitUntil(lambda: job.state == "paused")
    qtbot.waitUntil(lambda: page._running_phase.text() == "Paused")
    assert not actions["job.pause"].isEnabled()
    actions["job.go_on"].trigger()
    qtbot.waitUntil(lambda: job.state == "running")
    qtbot.waitUntil(lambda: "Learning the look" in page._running_phase.text())
    actions["job.pause"].trigger()
    qtbot.waitUntil(lambda: job.state == "paused")
    actions["job.cancel"].trigger()
    qtbot.waitUntil(lambda: job.state == "cancelled", timeout=30_000)
