"""The job around training; training itself is replaced by a small embedder."""

from __future__ import annotations

import json
import shutil
import sys
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reid_desk.errors import JobCancelled, ReidDeskError, SiteError, SourceError
from reid_desk.jobs import adapt
from reid_desk.jobs.run import run_job
from reid_desk.jobs.runs import can_resume
from reid_desk.jobs.sources import add_source
from reid_desk.jobs.spec import JobSpec
from reid_desk.site import Site
from tests.fixtures_model import write_embedder
from tests.jobs.recording import Recording
from tests.jobs.sites import add_clip, contents, spec, write_source
from training.datasets import open_dataset, open_target
from training.errors import ClusteringError
from training.presets import preset
from training.settings import Settings

METRICS = {"mAP": 0.5, "rank1": 0.6, "rank5": 0.7, "rank10": 0.8, "cmc": [0.6], "queries": 4, "gallery": 4}
REPORT = {"source_only": {**METRICS, "mAP": 0.3}, "adapted": METRICS, "seconds": {"total": 1.0}}


class FakeTraining:
    """Writes what training writes; remembers how it was called; fails or is cancelled when told so."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []
        self.error: BaseException | None = None

    def adapt(
        self,
        source: Path,
        target: Path,
        out: Path,
        settings: Settings,
        *,
        test: Path | None = None,
        resume: bool = False,
        reporter: Recording,
    ) -> dict[str, Any]:
        target_set = open_target(target)
        self.calls.append(
            {
                "source": source,
                "target": {image.path.name: image.path.read_bytes() for image in target_set.images},
                "cameras": target_set.cameras,
                "tracks": {image.path.name: image.track for image in target_set.images},
                "co_seen": target_set.co_seen,
                "out": out,
                "folders": sorted(target.iterdir()),
                "settings": settings,
                "test": test,
                "resume": resume,
            }
        )
        reporter.phase("adaptation", "Adapting")
        (out / "settings.json").write_text(json.dumps(asdict(settings)))
        if self.error is not None:
            raise self.error
        write_embedder(out / "model.onnx", seed=len(self.calls))
        (out / "weights.safetensors").write_bytes(b"weights")
        for name in ("checkpoints/pretraining.pt", "previews/translation.jpg", "source_only.onnx"):
            (out / name).parent.mkdir(exist_ok=True)
            (out / name).write_bytes(b"made on the way")
        report = REPORT if test else {"seconds": {}}
        (out / "report.json").write_text(json.dumps(report))
        return report


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeTraining:
    fake = FakeTraining()
    # In place of the module, so that torch is not loaded.
    monkeypatch.setitem(sys.modules, "training.adaptation", SimpleNamespace(adapt=fake.adapt))
    return fake


@pytest.fixture
def ready(full_site: Site, tmp_path: Path) -> Site:
    add_source(full_site, open_dataset(write_source(tmp_path / "shop")))
    return full_site


def test_the_sites_own_crops_are_the_target(ready: Site, fake: FakeTraining):
    run_job(spec("adapt", ready, preset="smoke", seed=3), Recording())
    (call,) = fake.calls
    assert len(call["target"]) == ready.count_crops()
    first = ready.crops()[0]
    assert call["target"][f"{first.id:08d}.jpg"] == ready.crop_image(first.id)
    assert call["cameras"] == 2
    assert (call["settings"].preset, call["settings"].seed, call["test"]) == ("smoke", 3, None)
    assert call["source"] == Path(ready.source("shop").path)


def test_the_target_says_which_crops_are_of_one_track_and_which_tracks_were_seen_together(
    ready: Site, fake: FakeTraining
):
    run_job(spec("adapt", ready), Recording())
    call = fake.calls[0]
    crops = ready.crop_metadata()
    wanted = {f"{crop:08d}.jpg": track for crop, track in zip(crops.crop_id, crops.track_id, strict=True)}
    assert call["tracks"] == wanted
    together = {
        (a.id, b.id)
        for a in ready.tracks()
        for b in ready.tracks()
        if a.id < b.id and a.clip_id == b.clip_id
        and a.first_frame <= b.last_frame and b.first_frame <= a.last_frame
    }  # fmt: skip
    assert {tuple(sorted(pair)) for pair in call["co_seen"]} == together


def test_the_new_model_is_put_to_use_with_all_crops_embedded(ready: Site, fake: FakeTraining):
    result = run_job(spec("adapt", ready, preset="smoke"), Recording())
    model = ready.current_model()
    assert result["model"] == model.id
    assert ready.missing_vectors(model.id) == []
    assert model.run_id == ready.runs("adapt")[0].id


def test_the_old_model_answers_until_the_new_one_is_ready(
    searchable_site: Site, tmp_path: Path, fake: FakeTraining, monkeypatch: pytest.MonkeyPatch
):
    add_source(searchable_site, open_dataset(write_source(tmp_path / "shop")))
    old = searchable_site.current_model()
    in_use: list[str] = []

    class Looks(Recording):
        def progress(self, done: int, total: int | None) -> None:
            in_use.append(searchable_site.current_model().id)

    result = run_job(spec("adapt", searchable_site, preset="smoke"), Looks())
    assert set(in_use) == {old.id}
    assert searchable_site.current_model().id == result["model"] != old.id
    assert old.id in [model.id for model in searchable_site.models()]


def test_crops_imported_while_it_embeds_have_vectors_when_the_model_is_put_to_use(
    ready: Site, fake: FakeTraining
):
    class ImportsMeanwhile(Recording):
        def progress(self, done: int, total: int | None) -> None:
            if self.phases[-1] == "embed" and done == total and not ready.cameras()[2:]:
                add_clip(ready, "garage", range(2))

    result = run_job(spec("adapt", ready, preset="smoke"), ImportsMeanwhile())
    assert result["crops"] == 42
    assert ready.missing_vectors(ready.current_model().id) == []


def test_before_and_after_are_kept_where_there_is_something_to_measure_on(
    ready: Site, tmp_path: Path, fake: FakeTraining
):
    add_source(ready, open_dataset(write_source(tmp_path / "people")), role="evaluation")
    run_job(spec("adapt", ready, preset="smoke"), Recording())
    assert fake.calls[0]["test"] == tmp_path / "people"
    kept = {e.label: (e.dataset, e.metrics["mAP"]) for e in ready.evaluations()}
    assert kept == {"before": ("people", 0.3), "after": ("people", 0.5)}


def add_evaluation_set(site: Site, folder: Path) -> Path:
    add_source(site, open_dataset(write_source(folder)), role="evaluation")
    return folder


def kept_sets(site: Site) -> dict[str, str]:
    return {evaluation.label: evaluation.dataset for evaluation in site.evaluations()}


def test_figures_are_filed_under_the_set_that_they_were_measured_on(
    ready: Site, tmp_path: Path, fake: FakeTraining
):
    class AddsMeanwhile(Recording):
        def phase(self, name: str, text: str) -> None:
            super().phase(name, text)
            if name == "adaptation":
                add_evaluation_set(ready, tmp_path / "newer")

    add_evaluation_set(ready, tmp_path / "people")
    run_job(spec("adapt", ready, preset="smoke"), AddsMeanwhile())
    assert fake.calls[0]["test"] == tmp_path / "people"
    assert kept_sets(ready) == {"before": "people", "after": "people"}


@pytest.mark.parametrize("cut", ["adaptation", "embed"])
def test_a_resumed_run_is_measured_on_the_set_that_it_began_with(
    ready: Site, tmp_path: Path, fake: FakeTraining, cut: str
):
    class CutsOff(Recording):
        def phase(self, name: str, text: str) -> None:
            super().phase(name, text)
            if name == cut:
                self.control.cancel()
                fake.error = JobCancelled("asked") if cut == "adaptation" else None

    people = add_evaluation_set(ready, tmp_path / "people")
    with pytest.raises(JobCancelled):
        run_job(spec("adapt", ready, preset="smoke"), CutsOff())
    add_evaluation_set(ready, tmp_path / "newer")
    fake.error = None
    run_job(spec("adapt", ready, resume=True), Recording())
    assert [call["test"] for call in fake.calls] == [people] * len(fake.calls)
    assert kept_sets(ready) == {"before": "people", "after": "people"}


def test_a_set_that_is_gone_is_warned_of_and_not_measured_on(ready: Site, tmp_path: Path, fake: FakeTraining):
    shutil.rmtree(add_evaluation_set(ready, tmp_path / "people"))
    reporter = Recording()
    run_job(spec("adapt", ready, preset="smoke"), reporter)
    assert any("not measured on people" in text for text in reporter.messages)
    assert fake.calls[0]["test"] is None
    assert ready.current_model() is not None
    assert ready.evaluations() == []


def test_measuring_on_what_was_learnt_from_is_warned_of(ready: Site, fake: FakeTraining):
    folder = Path(ready.source("shop").path)
    add_source(ready, open_dataset(folder), name="people", role="evaluation")
    reporter = Recording()
    run_job(spec("adapt", ready, preset="smoke"), reporter)
    assert any("people and shop are one folder" in text for text in reporter.messages)


def test_a_failed_run_is_resumed_in_its_folder_with_its_own_crops(ready: Site, fake: FakeTraining):
    fake.error = RuntimeError("boom")
    with pytest.raises(RuntimeError):
        run_job(spec("adapt", ready, preset="smoke", seed=5), Recording())
    (failed,) = ready.runs("adapt")
    assert failed.state == "failed"
    add_clip(ready, "garage", range(2))
    fake.error = None
    run_job(spec("adapt", ready, resume=True), Recording())
    first, second = fake.calls
    assert second["out"] == first["out"] == failed.folder
    assert second["target"] == first["target"]
    assert (second["resume"], second["settings"]) == (True, first["settings"])
    assert [(run.state, run.message) for run in ready.runs("adapt")] == [("finished", "")]
    assert ready.missing_vectors(ready.current_model().id) == []


def test_a_run_is_resumed_with_its_settings_though_a_clip_was_removed(ready: Site, fake: FakeTraining):
    add_clip(ready, "garage", range(3), crops=9)
    fake.error = RuntimeError("boom")
    with pytest.raises(RuntimeError):
        run_job(spec("adapt", ready, preset="smoke"), Recording())
    ready.remove_clip(ready.clips("garage")[0].id)
    fake.error = None
    run_job(spec("adapt", ready, resume=True), Recording())
    first, second = fake.calls
    assert second["settings"] == first["settings"]


def test_a_run_begun_without_words_goes_on_as_begun_though_the_defaults_changed(
    ready: Site, tmp_path: Path, fake: FakeTraining, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(adapt, "default_preset", lambda: "compact")
    fake.error = RuntimeError("boom")
    with pytest.raises(RuntimeError):
        run_job(spec("adapt", ready), Recording())
    add_source(ready, open_dataset(write_source(tmp_path / "mall")))
    monkeypatch.setattr(adapt, "default_preset", lambda: "paper")
    edited = preset("compact", precision="float32")
    monkeypatch.setattr(adapt, "preset", lambda name, **_: edited if name == "compact" else preset(name))
    fake.error = None
    asked = {"source": "shop", "preset": "compact", "seed": 0}
    for name, value in {"source": "mall", "preset": "paper", "seed": 1}.items():
        with pytest.raises(ReidDeskError, match=f"begun with {name} {asked[name]!r}"):
            run_job(spec("adapt", ready, resume=True, **{name: value}), Recording())
    run_job(spec("adapt", ready, resume=True, **asked), Recording())
    first, second = fake.calls
    assert second["settings"] == first["settings"]
    assert second["source"] == first["source"] == tmp_path / "shop"


def test_what_a_run_does_not_know_of_itself_may_be_said_when_it_is_resumed(
    ready: Site, tmp_path: Path, fake: FakeTraining
):
    add_source(ready, open_dataset(write_source(tmp_path / "mall")))
    begun = ready.start_run("adapt", spec("adapt", ready, source=None, preset="smoke").as_dict())
    (begun.folder / "settings.json").write_text(json.dumps(asdict(preset("smoke"))))
    ready.update_run(begun.id, "failed")
    run_job(spec("adapt", ready, source="mall", resume=True), Recording())
    assert fake.calls[0]["source"] == tmp_path / "mall"


def test_a_cancelled_run_keeps_what_it_had_and_the_old_state_of_the_site(ready: Site, fake: FakeTraining):
    before = contents(ready.path)
    fake.error = JobCancelled("asked")
    with pytest.raises(JobCancelled):
        run_job(spec("adapt", ready, preset="smoke"), Recording())
    (run,) = ready.runs("adapt")
    assert run.state == "cancelled"
    assert can_resume(run)
    assert contents(ready.path) == before


def test_a_run_cut_off_while_embedding_is_not_trained_again(
    ready: Site, fake: FakeTraining, monkeypatch: pytest.MonkeyPatch
):
    class CancelsEmbedding(Recording):
        def phase(self, name: str, text: str) -> None:
            super().phase(name, text)
            if name == "embed":
                self.control.cancel()

    with pytest.raises(JobCancelled):
        run_job(spec("adapt", ready, preset="smoke"), CancelsEmbedding())
    assert ready.current_model() is None
    result = run_job(spec("adapt", ready, resume=True), Recording())
    assert len(fake.calls) == 1
    assert ready.current_model().id == result["model"]
    assert len(ready.models()) == 1


def test_a_run_is_not_resumed_as_something_else(ready: Site, fake: FakeTraining):
    fake.error = RuntimeError("boom")
    with pytest.raises(RuntimeError):
        run_job(spec("adapt", ready, preset="smoke"), Recording())
    with pytest.raises(ReidDeskError, match="begun with preset 'smoke'"):
        run_job(spec("adapt", ready, preset="compact", resume=True), Recording())


def test_a_run_that_is_named_is_the_one_resumed(ready: Site, fake: FakeTraining):
    fake.error = RuntimeError("boom")
    for seed in (1, 2):
        with pytest.raises(RuntimeError):
            run_job(spec("adapt", ready, preset="smoke", seed=seed), Recording())
    older = ready.runs("adapt")[-1]
    fake.error = None
    run_job(JobSpec("adapt", str(ready.path), {"resume": True}, older.id), Recording())
    assert fake.calls[-1]["settings"].seed == 1
    with pytest.raises(ReidDeskError, match="cannot go on"):
        run_job(JobSpec("adapt", str(ready.path), {"resume": True}, older.id), Recording())


def test_nothing_to_resume_is_said(ready: Site):
    with pytest.raises(ReidDeskError, match="nothing to resume"):
        run_job(spec("adapt", ready, resume=True), Recording())


def test_what_training_cannot_learn_from_is_the_users_to_mend(ready: Site, fake: FakeTraining):
    fake.error = ClusteringError("No clusters: every crop is noise.")
    reporter = Recording()
    with pytest.raises(ClusteringError):
        run_job(spec("adapt", ready, preset="smoke"), reporter)
    assert reporter.events[-1].category == "input"


def test_readiness_is_checked_in_words_before_anything_heavy(site: Site, tmp_path: Path, fake: FakeTraining):
    def refused(words: str, kind: type[Exception], **arguments: object) -> None:
        reporter = Recording()
        with pytest.raises(kind, match=words):
            run_job(spec("adapt", site, **arguments), reporter)
        assert "load" not in reporter.phases

    refused("no labelled source", SourceError)
    add_source(site, open_dataset(write_source(tmp_path / "shop")))
    refused("no crops", SiteError)
    add_clip(site, "hall", range(1), crops=7)
    refused("7 crops, and adapting needs at least 8", SiteError)
    add_clip(site, "street", range(4))
    refused("no source named 'mall'", SiteError, source="mall")
    refused("no preset 'huge'", ReidDeskError, preset="huge")
    add_source(site, open_dataset(write_source(tmp_path / "mall")))
    refused("2 sources: shop, mall", SourceError)
    shutil.rmtree(tmp_path / "mall")
    refused("no longer at", SourceError, source="mall")
    assert fake.calls == []


def test_cameras_of_any_name_have_folders_of_their_own(site: Site, tmp_path: Path, fake: FakeTraining):
    add_source(site, open_dataset(write_source(tmp_path / "shop")))
    for number, name in enumerate(["Ein/Aus", "Ein\\Aus", "..", "門 1", "CON"]):
        add_clip(site, name, range(2 * number, 2 * number + 2))
    run_job(spec("adapt", site, preset="smoke"), Recording())
    (call,) = fake.calls
    assert call["cameras"] == 5
    assert len(call["target"]) == site.count_crops()
    assert all(path.parent == call["out"] / "target" for path in call["folders"])


def test_a_finished_run_keeps_what_shows_it_and_nothing_large(ready: Site, fake: FakeTraining):
    run_job(spec("adapt", ready, preset="smoke"), Recording())
    run, model = ready.runs("adapt")[0], ready.current_model()
    kept = {path.name for path in run.folder.iterdir()}
    assert kept == {"settings.json", "card.json", "report.json", "events.jsonl", "worker.lock", "previews"}
    assert [path.name for path in (run.folder / "previews").iterdir()] == ["translation.jpg"]
    assert model.path.is_file()
    assert model.path.with_name("weights.safetensors").read_bytes() == b"weights"
