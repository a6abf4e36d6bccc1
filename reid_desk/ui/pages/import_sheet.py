"""The sheet between choosing footage and importing it: which camera recorded what, how people are found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QDialog,
    QHeaderView,
    QPlainTextEdit,
    QRadioButton,
    QTableWidget,
    QTableWidgetItem,
    QWidget,
)

from reid_desk.footage.clips import ClipSource, Refused
from reid_desk.ui import words
from reid_desk.ui.camera_names import guess_camera
from reid_desk.ui.widgets.buttons import Button
from reid_desk.ui.widgets.layout import UNIT, column, row
from reid_desk.ui.widgets.text import label


@dataclass(frozen=True)
class ImportPlan:
    """What the operator decided: the clips of each camera, and the detector for all."""

    cameras: dict[str, tuple[Path, ...]]
    detector: str


class ImportSheet(QDialog):
    """Asks what cannot be known for sure; every answer is guessed already.

    ``planned`` carries the :class:`ImportPlan` once the operator agrees.
    """

    planned = Signal(object)

    def __init__(
        self, clips: Sequence[ClipSource], refused: Sequence[Refused], known: Sequence[str], parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Add footage"))
        self.setMinimumSize(720, 480)
        self._clips = list(clips)
        self._known = list(known)
        self._table = self._make_table()
        self._motion = QRadioButton(
            self.tr("Motion: for fixed cameras; works everywhere, needs nothing else")
        )
        self._yolox = QRadioButton(
            self.tr("YOLOX: also finds people who stand still; fetches its network once (4 MB)")
        )
        self._motion.setChecked(True)
        add = Button(
            self.tr("Import {clips}").format(clips=words.clips(len(clips))), kind="primary", icon="add"
        )
        add.setDefault(True)
        add.clicked.connect(self._agree)
        cancel = Button(self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        cancel.setAutoDefault(False)
        parts: list[QWidget] = [
            label(self.tr("Which camera recorded which clip?"), size="heading"),
            label(
                self.tr(
                    "The names are guessed from the files. Select several lines to name them together; "
                    "type a new name for a new camera."
                ),
                tone="muted",
                wrap=True,
            ),
        ]
        whole = column(*parts, self._together(), self._table, margin=3 * UNIT, spacing=12)
        if refused:
            whole.addWidget(label(words.left_out(len(refused)), tone="warning"))
            whole.addWidget(self._refusals(refused))
        whole.addWidget(label(self.tr("How people are found")))
        whole.addWidget(self._motion)
        whole.addWidget(self._yolox)
        whole.addSpacing(UNIT)
        whole.addLayout(row(None, cancel, add))
        self.setLayout(whole)

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(len(self._clips), 2)
        table.setAccessibleName(self.tr("Clips to import"))
        table.setHorizontalHeaderLabels([self.tr("Clip"), self.tr("Camera")])
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(44)
        table.setShowGrid(False)
        table.setTabKeyNavigation(False)
        table.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        table.horizontalHeader().setSectionResizeMode(1, QHeaderView.ResizeMode.Fixed)
        table.horizontalHeader().setDefaultAlignment(Qt.AlignmentFlag.AlignLeft)
        table.setColumnWidth(1, 260)
        for number, clip in enumerate(self._clips):
            name = QTableWidgetItem(clip.path.name)
            name.setToolTip(str(clip.path))
            table.setItem(number, 0, name)
            table.setCellWidget(number, 1, self._camera_box(clip))
        return table

    def _camera_box(self, clip: ClipSource) -> QComboBox:
        box = QComboBox(editable=True)
        box.addItems(self._known)
        box.setCurrentText(guess_camera(clip.path, self._known))
        box.setAccessibleName(self.tr("Camera of {clip}").format(clip=clip.path.name))
        return box

    def _together(self) -> QWidget:
        name = QComboBox(editable=True)
        name.addItems(self._known)
        name.setCurrentText("")
        name.setAccessibleName(self.tr("Camera for the selected clips"))
        field = name.lineEdit()
        if field is not None:
            field.setPlaceholderText(self.tr("Camera name"))
        name.setMinimumWidth(220)
        give = Button(self.tr("Name the selected clips"))
        give.setAutoDefault(False)
        give.clicked.connect(lambda: self.name_selected(name.currentText()))
        inside = row(name, give, None)
        holder = QWidget()
        holder.setLayout(inside)
        holder.setVisible(len(self._clips) > 1)
        return holder

    def _refusals(self, refused: Sequence[Refused]) -> QPlainTextEdit:
        reasons = QPlainTextEdit(refusal_lines(refused), readOnly=True)
        reasons.setAccessibleName(self.tr("What was left out, and why"))
        reasons.setTabChangesFocus(True)
        reasons.setMaximumHeight(88)
        return reasons

    def name_selected(self, camera: str) -> None:
        """Give the selected clips (all, where none is selected) to ``camera``."""
        lines = {index.row() for index in self._table.selectedIndexes()} or set(range(len(self._clips)))
        if camera.strip():
            for line in lines:
                self._box(line).setCurrentText(camera.strip())

    def choose_detector(self, name: str) -> None:
        """Preselect a detector."""
        (self._yolox if name == "yolox" else self._motion).setChecked(True)

    def plan(self) -> ImportPlan:
        """Return what the sheet says now."""
        cameras: dict[str, tuple[Path, ...]] = {}
        for line, clip in enumerate(self._clips):
            name = self._box(line).currentText().strip() or guess_camera(clip.path, self._known)
            cameras[name] = (*cameras.get(name, ()), clip.path)
        return ImportPlan(cameras, "yolox" if self._yolox.isChecked() else "motion")

    def _box(self, line: int) -> QComboBox:
        box = self._table.cellWidget(line, 1)
        assert isinstance(box, QComboBox)
        return box

    def _agree(self) -> None:
        self.planned.emit(self.plan())
        self.accept()


def refusal_lines(refused: Sequence[Refused]) -> str:
    """Return what was refused and why, one line each."""
    return "\n".join(f"{one.path.name}: {one.reason}" for one in refused)
