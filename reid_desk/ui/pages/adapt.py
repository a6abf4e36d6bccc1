"""The Adapt page: one big button, three stages, and what came of it."""

from __future__ import annotations

import time

from PySide6.QtCore import QSize, QTimer
from PySide6.QtGui import QImage, QUndoCommand

from reid_desk.jobs.events import Event, read_events
from reid_desk.site.records import Model, Run
from reid_desk.ui import words
from reid_desk.ui.actions import Actions
from reid_desk.ui.background import Latest
from reid_desk.ui.desk import Desk
from reid_desk.ui.job_queue import ENDED, HELD, Job
from reid_desk.ui.models.adaptation import Adaptation, Stage
from reid_desk.ui.pages.adapt_setup import AdaptSetup
from reid_desk.ui.pages.outcome import Choice, Outcome
from reid_desk.ui.pages.page import Page
from reid_desk.ui.widgets.buttons import ActionButton
from reid_desk.ui.widgets.layout import UNIT, Card, column, holder, row, scrolled
from reid_desk.ui.widgets.picture import Picture
from reid_desk.ui.widgets.plots import REDRAW_MS, Plot
from reid_desk.ui.widgets.stage_card import StageCard
from reid_desk.ui.widgets.text import label

FOLLOWED = ("adapt", "demo")
_LOWER_HEIGHT = 176


class AdaptPage(Page):
    """Starts, watches and resumes the adaptation of the site."""

    def __init__(self, desk: Desk, actions: Actions) -> None:
        super().__init__("adapt", desk, actions)
        self.set_heading(
            self.tr("Adapt"),
            self.tr(
                "The desk learns what people look like on this site's cameras, from the site's own footage."
            ),
        )
        self._job: Job | None = None
        self._shown_since: float | None = None  # only a run that began later takes the place of what is shown
        self.adaptation = Adaptation()
        self._reading = Latest(desk.background)
        self._image_reading = Latest(desk.background)
        self._image_path: object = None
        self.setup = AdaptSetup(desk, actions)
        self.outcome = Outcome(actions)
        self.cards = self._make_cards()
        self._running = self._make_running_card()
        self._preview = self._make_preview()
        self._clusters = self._make_clusters()
        stages = row(*self.cards, spacing=12)
        for number in range(3):
            stages.setStretch(number, 1)
        lower = row(self._preview, self._clusters, spacing=12)
        lower.setStretch(0, 1)
        lower.setStretch(1, 1)
        self._stages = holder(stages)
        inside = holder(
            column(self._running, self.setup, self.outcome, self._stages, lower, None, spacing=2 * UNIT)
        )
        self.content.addWidget(scrolled(inside, self.tr("Adaptation")))
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(REDRAW_MS)
        self._redraw.timeout.connect(self._show)
        self._connect()
        self.refresh()

    @property
    def resumable(self) -> Run | None:
        """The newest run, if it was cut off and can go on."""
        return self.desk.summary.resumable if self._job is None else None

    @property
    def choice(self) -> Choice | None:
        """The models to choose from, if there is a choice."""
        return Choice.of(self.desk.summary)

    def start(self) -> Job:
        """Adapt to the site as the choices say."""
        preset = self.setup.preset.currentData()
        self.desk.preferences.set_text("preset", preset)
        source = self.setup.source.currentText()
        return self.follow(
            self.desk.start_job("adapt", self.tr("Adapt to site"), source=source, preset=preset)
        )

    def resume(self) -> Job | None:
        """Go on with the run that was cut off."""
        run = self.resumable
        if run is None:
            return None
        title = self.tr("Adapt to site, resumed")
        return self.follow(
            self.desk.start_job(run.kind, title, resume=True, run_id=run.id), seen=self.adaptation
        )

    def follow(self, job: Job, *, seen: Adaptation | None = None) -> Job:
        """Show ``job`` live; ``seen`` is what an earlier part of the same run has shown."""
        self._job = job
        self.adaptation = seen or Adaptation()
        self._image_path = None
        job.told.connect(self._take)
        job.changed.connect(self._soon)
        job.ended.connect(lambda _: self._ended(job))
        self.refresh()
        return job

    def refresh(self) -> None:
        """Show what the site holds now."""
        self.setup.refresh()
        self.setup.setVisible(self._job is None)
        self._running.setVisible(self._job is not None)
        choice = self.choice
        self.outcome.setVisible(choice is not None and self._job is None)
        if choice is not None:
            self.outcome.show_choice(choice, self.desk.summary.current_model)
        self._read_last_run()
        self._show()

    def _connect(self) -> None:
        self.desk.refreshed.connect(self.refresh)
        self.desk.appearance.changed.connect(self._soon)
        self.actions_["adapt.start"].triggered.connect(self.start)
        self.actions_["adapt.resume"].triggered.connect(self.resume)
        self.actions_["adapt.use_new"].triggered.connect(lambda: self._use(new=True))
        self.actions_["adapt.keep_old"].triggered.connect(lambda: self._use(new=False))

    def _use(self, *, new: bool) -> None:
        choice, current = self.choice, self.desk.summary.current_model
        model = None if choice is None else choice.new if new else choice.old
        if model is not None:
            name = self.tr("use {model}").format(model=model.name)
            self.desk.undo.push(_UseModel(self.desk, name, current, model))

    def _take(self, event: Event) -> None:
        self.adaptation.take(event)
        self._soon()

    def _soon(self) -> None:
        if not self._redraw.isActive():
            self._redraw.start()

    def _ended(self, job: Job) -> None:
        if self._job is job:
            self._job = None
            self._shown_since = time.time() if job.run_id else None
            if job.state in ENDED - {"finished"}:
                self.adaptation.stop()
        self.refresh()
        self.state_changed.emit()

    def _read_last_run(self) -> None:
        """After a start of the desk: show how far the newest run has come, from its events."""
        newest = max(self.desk.summary.adaptations, key=lambda run: run.started_at, default=None)
        shown = self._shown_since
        if self._job is not None or newest is None or (shown is not None and newest.started_at <= shown):
            return
        self._shown_since = newest.started_at

        def read() -> Adaptation:
            told = Adaptation()
            for event in read_events(newest.folder / "events.jsonl"):
                told.take(event)
            told.stop()
            return told

        self._reading.run(read, lambda told: self._take_last_run(newest, told))

    def _take_last_run(self, run: Run, told: Adaptation) -> None:
        # A job that came and went while the events were read has more to show than an older run.
        if self._job is None and self._shown_since == run.started_at:
            self.adaptation = told
            self._show()

    def _show(self) -> None:
        for card, stage in zip(self.cards, self.adaptation.stages, strict=True):
            card.show_stage(stage)
        started = any(stage.state != "waiting" for stage in self.adaptation.stages)
        self._stages.setVisible(started or self._job is not None or self.choice is None)
        if self._job is not None:
            phase = self._job.phase or words.state(self._job.state)
            left = "" if self._job.state in HELD else words.time_left(self._job.time_left)
            text = words.state(self._job.state) if self._job.state in HELD else phase
            self._running_title.setText(self._job.title)
            self._running_phase.setText(" · ".join(filter(None, (text, left))))
        self._show_preview()
        self._show_clusters()

    def _show_preview(self) -> None:
        path = self.adaptation.images.get("translation")
        self._preview.setVisible(path is not None)
        if path is None:
            return
        stamp = (path, path.stat().st_mtime_ns if path.exists() else 0)
        if stamp != self._image_path:
            self._image_path = stamp
            self._image_reading.run(lambda: QImage(str(path)), self._translation.show_image)

    def _show_clusters(self) -> None:
        clusters, noise = self.adaptation.clusters, self.adaptation.noise
        self._clusters.setVisible(bool(clusters.values))
        if clusters.values:
            self._cluster_plot.show_lines(
                {
                    "clusters": ([place + 1 for place in clusters.places], clusters.values),
                    "noise": ([place + 1 for place in noise.places], noise.values),
                }
            )
            self._cluster_text.setText(
                self.tr(
                    "{clusters} groups of crops, each taken for one person; {noise} crops in no group."
                ).format(
                    clusters=words.number(int(clusters.values[-1])), noise=words.number(int(noise.values[-1]))
                )
            )

    def _make_cards(self) -> tuple[StageCard, StageCard, StageCard]:
        appearance = self.desk.appearance
        return (
            StageCard(
                self.tr("1  Style transfer"),
                self.tr("The source's images are given the look of this site."),
                appearance,
                _epoch_words,
            ),
            StageCard(
                self.tr("2  Pre-training"),
                self.tr("A network learns to tell the source's people apart."),
                appearance,
                _epoch_words,
            ),
            StageCard(
                self.tr("3  Adaptation"),
                self.tr("Two copies of it teach each other on the site's own crops, grouped by likeness."),
                appearance,
                _cluster_words,
            ),
        )

    def _make_running_card(self) -> Card:
        self._running_title = label(size="heading")
        self._running_phase = label(tone="muted", wrap=True)
        pause = ActionButton(self.actions_["job.pause"], icon="pause", hides=True)
        go_on = ActionButton(self.actions_["job.go_on"], icon="play", hides=True)
        stop = ActionButton(self.actions_["job.cancel"], icon="stop")
        words_ = column(self._running_title, self._running_phase, spacing=2)
        line = row(words_, pause, go_on, stop)
        line.setStretch(0, 1)
        return Card(line)

    def _make_preview(self) -> Card:
        self._translation = Picture(
            self.tr("Source images above their translation"), icon="image", minimum=QSize(240, _LOWER_HEIGHT)
        )
        return Card(
            label(self.tr("Source above, in the look of the site below"), size="heading"), self._translation
        )

    def _make_clusters(self) -> Card:
        self._cluster_text = label(tone="muted", wrap=True)
        self._cluster_plot = Plot(
            self.tr("Groups and ungrouped crops"),
            self.desk.appearance,
            height=_LOWER_HEIGHT,
            bottom=self.tr("epoch"),
        )
        self._cluster_plot.setFixedHeight(_LOWER_HEIGHT)
        return Card(label(self.tr("Groups found"), size="heading"), self._cluster_text, self._cluster_plot)


def _epoch_words(stage: Stage) -> str:
    if "epoch" not in stage.figures:
        return stage.phase if stage.state == "running" else ""
    parts = [words.epoch(int(stage.figures["epoch"]))]
    if "accuracy" in stage.figures:
        parts.append(words.accuracy(stage.figures["accuracy"]))
    return " · ".join(parts)


def _cluster_words(stage: Stage) -> str:
    if "clusters" not in stage.figures:
        return _epoch_words(stage)
    return " · ".join(
        (words.epoch(int(stage.figures["epoch"])), words.clusters(int(stage.figures["clusters"])))
    )


class _UseModel(QUndoCommand):
    """Search with another model; undone by going back to the one before."""

    def __init__(self, desk: Desk, text: str, before: Model | None, after: Model) -> None:
        super().__init__(text)
        self._desk, self._before, self._after = desk, before, after

    def redo(self) -> None:
        self._desk.use_model(self._after)

    def undo(self) -> None:
        if self._before is not None:
            self._desk.use_model(self._before)
