"""The status bar: the running job on the left, the model in use and the device on the right."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QProgressBar, QStatusBar, QWidget

from reid_desk.ui import words
from reid_desk.ui.actions import Actions
from reid_desk.ui.desk import Desk
from reid_desk.ui.job_queue import HELD, Job
from reid_desk.ui.widgets.buttons import quiet_button
from reid_desk.ui.widgets.icon_label import IconLabel
from reid_desk.ui.widgets.layout import holder, row
from reid_desk.ui.widgets.text import ElidedLabel, label

_REFRESH_MS = 200
_BAR_WIDTH = 160


class JobBar(QStatusBar):
    """Says what the desk works on; at most five times a second."""

    def __init__(self, desk: Desk, actions: Actions) -> None:
        super().__init__()
        self._desk = desk
        self.setSizeGripEnabled(False)
        self._icon = IconLabel("done", 16)
        self._text = ElidedLabel(elide=Qt.TextElideMode.ElideRight)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setFixedWidth(_BAR_WIDTH)
        self._bar.setAccessibleName(self.tr("Progress of the running job"))
        self._left = label(tone="muted", size="small")
        self._waiting = label(tone="muted", size="small")
        self._stop = quiet_button(self.tr("Cancel the job"), "stop", actions["job.cancel"].trigger)
        self.model = label(size="small")
        self.device = label(size="small")
        job = row(self._icon, self._text, self._bar, self._left, self._waiting, self._stop)
        job.setContentsMargins(12, 2, 8, 2)
        job.setStretch(1, 1)
        right = row(
            self._separate(),
            IconLabel("model", 16),
            self.model,
            self._separate(),
            IconLabel("device", 16),
            self.device,
        )
        right.setContentsMargins(0, 2, 12, 2)
        self.addWidget(holder(job), 1)
        self.addPermanentWidget(holder(right))
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(_REFRESH_MS)
        self._soon.timeout.connect(self.refresh)
        desk.jobs.changed.connect(lambda: None if self._soon.isActive() else self._soon.start())
        desk.refreshed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show how things stand now."""
        job = self._desk.jobs.current
        for part in (self._bar, self._left, self._stop):
            part.setVisible(job is not None)
        waiting = len(self._desk.jobs.jobs()) - 1
        self._waiting.setVisible(waiting > 0)
        self._waiting.setText(self.tr("{n} more waiting").format(n=words.number(waiting)))
        if job is None:
            self._icon.show_icon("done")
            self._text.set_whole_text(self.tr("Nothing is running"))
        else:
            self._show(job)
        current = self._desk.summary.current_model
        self.model.setText(current.name if current else self.tr("no model yet"))
        self.model.setAccessibleName(self.tr("Model in use: {name}").format(name=self.model.text()))

    def show_device(self, text: str) -> None:
        """Say what the desk computes on."""
        self.device.setText(text)
        self.device.setAccessibleName(self.tr("Device: {name}").format(name=text))

    def _show(self, job: Job) -> None:
        held = job.state in HELD
        icons = {"cancelling": "stop", "pausing": "pause", "paused": "pause"}
        self._icon.show_icon(icons.get(job.state, "running"))
        phase = words.state(job.state) if held or not job.phase else job.phase
        self._text.set_whole_text(f"{job.title}: {phase}")
        self._bar.setRange(0, job.total or 0)
        if job.total:
            self._bar.setValue(min(job.done, job.total))
        self._left.setText("" if held else words.time_left(job.time_left))
        self._stop.setEnabled(job.state != "cancelling")

    def _separate(self) -> QWidget:
        return holder(row(12))
