"""The sheet on which an operator corrects which camera recorded some clips, and when one of them began."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QDateTime, Signal
from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QComboBox, QDateTimeEdit, QDialog, QFormLayout, QWidget

from reid_desk.site.clips import EARLIEST, LATEST
from reid_desk.site.records import Clip
from reid_desk.ui import words
from reid_desk.ui.desk import Desk
from reid_desk.ui.widgets.buttons import Button
from reid_desk.ui.widgets.layout import UNIT, column, row
from reid_desk.ui.widgets.text import label

LONGEST_NAME = 100


class ClipSheet(QDialog):
    """Asks for the camera of ``clips``, and for the start if there is one clip only.

    ``corrected`` is emitted once the operator agrees.
    """

    corrected = Signal()

    def __init__(self, clips: Sequence[Clip], cameras: Sequence[str], parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Correct clips"))
        self._clips = tuple(clips)
        self.camera = QComboBox()
        self.camera.setAccessibleName(self.tr("Camera"))
        self.camera.setEditable(True)
        self.camera.addItems(list(cameras))
        field = self.camera.lineEdit()
        if field is not None:
            field.setMaxLength(LONGEST_NAME)
            field.setAccessibleName(self.tr("Camera"))
        names = {clip.camera for clip in clips}
        self.camera.setCurrentText(clips[0].camera if len(names) == 1 else "")
        self.started = QDateTimeEdit()
        self.started.setAccessibleName(self.tr("Start of the first frame"))
        self.started.setDisplayFormat("yyyy-MM-dd HH:mm:ss")
        self.started.setCalendarPopup(True)
        self.started.setDateTimeRange(_date_time(EARLIEST), _date_time(LATEST))
        self.started.setDateTime(_date_time(clips[0].started_at))
        self._save = Button(self.tr("Correct"), kind="primary", icon="check")
        self._save.clicked.connect(self._agree)
        cancel = Button(self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        cancel.setAutoDefault(False)
        form = QFormLayout()
        form.setHorizontalSpacing(2 * UNIT)
        form.addRow(self.tr("Camera"), self.camera)
        form.addRow(self.tr("Started"), self.started)
        form.setRowVisible(self.started, len(clips) == 1)
        self.setLayout(
            column(
                label(words.clips(len(clips)), size="heading"),
                label(
                    self.tr("Tracks and crops follow: every camera and time that a search shows."),
                    tone="muted",
                    wrap=True,
                ),
                form,
                row(None, cancel, self._save),
                margin=3 * UNIT,
                spacing=12,
            )
        )
        self.setMinimumWidth(420)
        self.camera.currentTextChanged.connect(self._check)
        self._check()

    def changes(self) -> list[tuple[Clip, str, float]]:
        """Each clip with the camera and start it should have, where that is news."""
        camera = self.camera.currentText().strip()
        wanted = [(clip, camera or clip.camera, self._start(clip)) for clip in self._clips]
        return [
            (clip, camera, start)
            for clip, camera, start in wanted
            if (camera, start) != (clip.camera, clip.started_at)
        ]

    def _start(self, clip: Clip) -> float:
        # The field shows whole seconds: what was not touched keeps its fraction.
        if len(self._clips) > 1 or self.started.dateTime() == _date_time(clip.started_at):
            return clip.started_at
        return float(self.started.dateTime().toSecsSinceEpoch())

    def _check(self) -> None:
        several = len({clip.camera for clip in self._clips}) > 1
        self._save.setEnabled(several or bool(self.camera.currentText().strip()))

    def _agree(self) -> None:
        self.corrected.emit()
        self.accept()


class CorrectClips(QUndoCommand):
    """Give clips another camera or start; undone by giving them what they had."""

    def __init__(self, desk: Desk, text: str, changes: Sequence[tuple[Clip, str, float]]) -> None:
        super().__init__(text)
        self._desk = desk
        # A start that stays is not written: the clip remembers where it is known from.
        self._after = [
            (clip.id, camera, None if start == clip.started_at else start) for clip, camera, start in changes
        ]
        self._before = [
            (clip.id, clip.camera, None if start == clip.started_at else clip.started_at)
            for clip, _, start in changes
        ]

    def redo(self) -> None:
        """Write what was agreed."""
        self._write(self._after)

    def undo(self) -> None:
        """Write what was there before."""
        self._write(self._before)

    def _write(self, wanted: Sequence[tuple[int, str, float | None]]) -> None:
        site = self._desk.site

        def write() -> None:
            for clip_id, camera, start in wanted:
                site.edit_clip(clip_id, camera=camera, started_at=start)

        self._desk.change(write)


def _date_time(seconds: float) -> QDateTime:
    """In the machine's time zone, to the second."""
    return QDateTime.fromSecsSinceEpoch(int(seconds))
