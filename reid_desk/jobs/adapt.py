"""Adapt: a labelled source and the site's own crops -> a model for this site, put to use.

The old model answers searches until every crop has been embedded with the new one. What is missing is said
before anything heavy is loaded.
"""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from reid_desk.errors import ReidDeskError, SiteError, SourceError
from reid_desk.jobs.embed import bring_into_use
from reid_desk.jobs.reporters import EventReporter
from reid_desk.jobs.room import require_room, room_needed
from reid_desk.jobs.spec import seed_of
from reid_desk.jobs.target import images_a_person, write_target
from reid_desk.site import Model, Run, Site, Source
from training.datasets import evaluation_split, open_dataset
from training.errors import TrainingError
from training.presets import NAMES, preset
from training.settings import Settings
from training.settings_file import read_settings

FEWEST_CROPS = 8
"""Fewer crops than this cannot form even two clusters of four."""
# The model and its weights lie in the site's models/ by then.
_USED_UP = (
    *("checkpoints", "cache", "target", "model.onnx", "weights.safetensors"),
    *("source_only.onnx", "source_only.card.json"),
)


def run(site: Site, run: Run, arguments: Mapping[str, Any], reporter: EventReporter) -> dict[str, Any]:
    """Do the job; see :class:`reid_desk.jobs.spec.JobSpec` for its arguments.

    Returns ``{"model", "name", "preset", "crops", "report"}``, the report being that of
    :func:`training.adaptation.adapt`.

    Raises:
        ReidDeskError: the site is not ready to be adapted to.
        training.errors.TrainingError: the source or the crops cannot be learnt from.
    """
    source = ready_source(site, arguments.get("source"))
    name = arguments.get("preset")
    if name is not None and name not in NAMES:
        raise ReidDeskError(f"There is no preset {name!r}; there are {', '.join(NAMES)}.")
    seed_of(arguments)
    return adapt_site(site, run, source, arguments, reporter)


def ready_source(site: Site, name: str | None) -> Source:
    """The source to learn from, if the site has all that adaptation needs.

    Raises:
        ReidDeskError: what is missing, and how to bring it.
    """
    source = _chosen_source(site, name)
    if not Path(source.path).is_dir():
        raise SourceError(
            f"The source {source.name} is no longer at {source.path}. Bring it back, or add it anew."
        )
    crops = site.count_crops()
    if crops == 0:
        raise SiteError("The site has no crops to adapt to. Import footage first (reid-desk import).")
    if crops < FEWEST_CROPS:
        raise SiteError(
            f"The site has {crops} crops, and adapting needs at least {FEWEST_CROPS}. "
            "Import more footage first."
        )
    return source


def adapt_site(
    site: Site, run: Run, source: Source, arguments: Mapping[str, Any], reporter: EventReporter
) -> dict[str, Any]:
    """Train in the folder of ``run``, then bring the model into use; see :func:`run`."""
    model = _model_of(site, run)
    if model is None:
        report = _train(site, run, source, arguments, reporter)
        model = site.add_model(run.folder, name=_model_name(), run_id=run.id)
    else:
        report = _read_report(run.folder)
    _tidy(run.folder)
    crops = bring_into_use(site, model, reporter)
    _keep_evaluations(site, run, model, report)
    return {
        "model": model.id,
        "name": model.name,
        "preset": model.card.get("preset"),
        "crops": crops,
        "report": report,
    }


def default_preset() -> str:
    """The preset for this machine: ``paper`` with a CUDA device, else ``compact``."""
    import torch  # noqa: PLC0415 - seconds; the job needs it anyway by now

    return "paper" if torch.cuda.is_available() else "compact"


def _chosen_source(site: Site, name: str | None) -> Source:
    if name is not None:
        source = site.source(name)
        if source.role != "source":
            raise SourceError(
                f"{name} is there to measure on; a model that had learnt from it could not be judged by it. "
                "Choose a source (--source NAME)."
            )
        return source
    sources = site.sources(role="source")
    if not sources:
        raise SourceError("The site has no labelled source to learn from. Add one (reid-desk source add).")
    if len(sources) > 1:
        names = ", ".join(source.name for source in sources)
        raise SourceError(f"The site has {len(sources)} sources: {names}. Say which one (--source NAME).")
    return sources[0]


def _train(
    site: Site, run: Run, source: Source, arguments: Mapping[str, Any], reporter: EventReporter
) -> dict[str, Any]:
    if _begun_with(run) is None:
        arguments = {**arguments, "preset": _preset_with_room(site, source, arguments.get("preset"))}
    evaluation = _evaluation(site, source, arguments, reporter)
    target = run.folder / "target"
    crops = write_target(site, target, reporter)
    reporter.phase("load", "Loading the training code")
    settings = _begun_with(run) or _settings(arguments, images_a_person(target))
    begun = {
        "source": source.name,
        "preset": settings.preset,
        "seed": settings.seed,
        "evaluation": evaluation,
    }
    _note(site, run, begun)
    reporter.message(f"{crops:,} crops, source {source.name}, preset {settings.preset}.")
    from training.adaptation import adapt  # noqa: PLC0415 - torch: seconds, and only once all is ready

    return adapt(
        Path(source.path),
        target,
        run.folder,
        settings,
        test=Path(evaluation["path"]) if evaluation else None,
        resume=bool(arguments.get("resume")),
        reporter=reporter,
    )


def _preset_with_room(site: Site, source: Source, name: str | None) -> str:
    """The preset asked for, or that for this machine, if the disk has room for a run of it."""
    name = name or default_preset()
    require_room(site.path, room_needed(name, crops=site.count_crops(), source_images=source.images))
    return name


def _begun_with(run: Run) -> Settings | None:
    """The settings of a run that is resumed: neither clips, devices nor presets that changed since matter."""
    file = run.folder / "settings.json"
    return read_settings(file) if file.is_file() else None


def _evaluation(
    site: Site, source: Source, arguments: Mapping[str, Any], reporter: EventReporter
) -> dict[str, str] | None:
    """Name and path of the set to measure on: that which the run began with, or the site's, if it can be read."""
    chosen: dict[str, str] | None = arguments.get("evaluation")
    if chosen is None:
        own = site.evaluation_set()
        if own is None:
            return None
        chosen = {"name": own.name, "path": own.path}
    try:
        evaluation_split(open_dataset(Path(chosen["path"])))
    except (OSError, TrainingError) as error:
        reporter.message(f"The gain is not measured on {chosen['name']}: {error}", level="warning")
        return None
    if Path(chosen["path"]).resolve() == Path(source.path).resolve():
        told = f"{chosen['name']} and {source.name} are one folder: its figures will not say what was gained."
        reporter.message(told, level="warning")
    return chosen


def _note(site: Site, run: Run, begun: Mapping[str, Any]) -> None:
    """Keep in the run what it works with, so that what changes in the site does not change it when resumed."""
    arguments = {**run.spec.get("arguments", {}), **begun}
    site.update_run(run.id, "running", spec={**run.spec, "arguments": arguments})


def _settings(arguments: Mapping[str, Any], expected_images: float) -> Settings:
    settings = preset(arguments["preset"], seed=seed_of(arguments))
    stage = replace(settings.teacher_student, expected_images=expected_images)
    return replace(settings, teacher_student=stage)


def _model_of(site: Site, run: Run) -> Model | None:
    """The model that this run had already made before it was cut off."""
    return next((model for model in site.models() if model.run_id == run.id), None)


def _tidy(folder: Path) -> None:
    """Remove what nothing needs once the site has the model: hundreds of MB, and copies of people's pictures.

    Settings, events, previews and the report stay: by them the run is shown, and goes on if it is cut off while it
    embeds.
    """
    for name in _USED_UP:
        path = folder / name
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):  # a file that is held open costs space and nothing else
                path.unlink(missing_ok=True)


def _model_name() -> str:
    return f"Adapted {datetime.now(UTC).astimezone():%Y-%m-%d %H:%M}"


def _read_report(folder: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    return report


def _keep_evaluations(site: Site, run: Run, model: Model, report: Mapping[str, Any]) -> None:
    evaluation = site.run(run.id).spec.get("arguments", {}).get("evaluation")
    kept = {kept.label for kept in site.evaluations() if kept.model_id == model.id}
    for label, part in (("before", "source_only"), ("after", "adapted")):
        if evaluation is not None and label not in kept and report.get(part):
            site.add_evaluation(model.id, label, evaluation["name"], report[part])
