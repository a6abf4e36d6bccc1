"""The clips of a site as a table, those that wait for their import included."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt

from reid_desk.site.records import Clip
from reid_desk.ui import words
from reid_desk.ui.models.columns import alignment

Index = QModelIndex | QPersistentModelIndex
StateRole = Qt.ItemDataRole.UserRole + 1
ProgressRole = Qt.ItemDataRole.UserRole + 2
RowRole = Qt.ItemDataRole.UserRole + 3
NAME, CAMERA, STARTED, LENGTH, TRACKS, CROPS, STATE = range(7)
_FIGURES = frozenset({LENGTH, TRACKS, CROPS})


@dataclass(frozen=True)
class ClipRow:
    """One line of the table.

    ``clip_id`` is ``None`` while the clip waits for its import, ``progress`` is 0..1 while it is imported.
    """

    path: Path
    camera: str
    state: str
    clip_id: int | None = None
    message: str = ""
    started_at: float | None = None
    started_from: str = ""
    duration: float | None = None
    tracks: int | None = None
    crops: int | None = None
    progress: float | None = None

    @classmethod
    def of(cls, clip: Clip) -> ClipRow:
        """Return the line of a clip of the site."""
        done = clip.state == "imported"
        return cls(
            path=Path(clip.path),
            camera=clip.camera,
            state=clip.state,
            clip_id=clip.id,
            message=clip.message or "",
            started_at=clip.started_at,
            started_from=clip.started_from,
            duration=clip.duration,
            tracks=clip.tracks if done else None,
            crops=clip.crops if done else None,
        )


class ClipsModel(QAbstractTableModel):
    """Clips of all cameras, or of one."""

    def __init__(self) -> None:
        super().__init__()
        self._clips: tuple[ClipRow, ...] = ()
        self._waiting: dict[Path, ClipRow] = {}
        self._rows: list[ClipRow] = []
        self._camera: str | None = None
        self._headings = (
            self.tr("Clip"),
            self.tr("Camera"),
            self.tr("Started"),
            self.tr("Length"),
            self.tr("Tracks"),
            self.tr("Crops"),
            self.tr("State"),
        )

    def show_camera(self, name: str | None) -> None:
        """Show the clips of one camera only, or of all."""
        self._camera = name
        self._compose()

    def set_clips(self, clips: Sequence[Clip]) -> None:
        """Show what the site holds; a clip that it has imported waits no more."""
        self._clips = tuple(map(ClipRow.of, clips))
        for row in self._clips:
            if row.state == "imported":
                self._waiting.pop(row.path, None)
        self._compose()

    def add_waiting(self, cameras: Mapping[Path, str]) -> None:
        """Add lines for clips (path -> camera) whose import has been asked for."""
        for path, camera in cameras.items():
            self._waiting[path] = ClipRow(path, camera, "waiting")
        self._compose()

    def update_waiting(self, path: Path, **changes: Any) -> None:
        """Change the line of a clip that waits, if it still does."""
        if path in self._waiting:
            self._waiting[path] = replace(self._waiting[path], **changes)
            self._compose()

    def drop_waiting(self, paths: Sequence[Path]) -> None:
        """Take lines of clips that wait no more out of the table."""
        for path in paths:
            self._waiting.pop(path, None)
        self._compose()

    def row_at(self, number: int) -> ClipRow:
        """Return line ``number``."""
        return self._rows[number]

    @property
    def everything(self) -> int:
        """How many lines all cameras have."""
        return len(self._clips) + sum(path not in self._paths for path in self._waiting)

    @property
    def _paths(self) -> set[Path]:
        return {row.path for row in self._clips}

    def _compose(self) -> None:
        """Put the lines together; a change that keeps their number repaints only, so selections stay."""
        rows = [self._merged(row) for row in self._clips]
        rows += [row for path, row in self._waiting.items() if path not in self._paths]
        if self._camera is not None:
            rows = [row for row in rows if row.camera == self._camera]
        if [row.path for row in rows] == [row.path for row in self._rows]:
            self._rows = rows
            if rows:
                self.dataChanged.emit(self.index(0, 0), self.index(len(rows) - 1, STATE))
            return
        self.beginResetModel()
        self._rows = rows
        self.endResetModel()

    def _merged(self, row: ClipRow) -> ClipRow:
        live = self._waiting.get(row.path)
        return replace(row, progress=live.progress) if live is not None and row.state == "importing" else row

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008, D102 - Qt's name
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008, D102 - Qt's name
        return 0 if parent.isValid() else len(self._headings)

    def headerData(  # noqa: N802, D102 - Qt's name
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal:
            if role == Qt.ItemDataRole.DisplayRole:
                return self._headings[section]
            if role == Qt.ItemDataRole.TextAlignmentRole:
                return alignment(figures=section in _FIGURES)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102 - Qt's
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _text(row, index.column())
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return _tip(row, index.column())
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return alignment(figures=index.column() in _FIGURES)
        return {StateRole: row.state, ProgressRole: row.progress, RowRole: row}.get(role)


def _text(row: ClipRow, column: int) -> str:  # noqa: PLR0911 - one a column
    match column:
        case 0:
            return row.path.name
        case 1:
            return row.camera
        case 2:
            return words.NOTHING if row.started_at is None else words.local_minute(row.started_at)
        case 3:
            return words.duration(row.duration)
        case 4:
            return words.NOTHING if row.tracks is None else words.number(row.tracks)
        case 5:
            return words.NOTHING if row.crops is None else words.number(row.crops)
    text = words.state(row.state)
    return f"{text} {row.progress:.0%}" if row.progress is not None and row.state == "importing" else text


def _tip(row: ClipRow, column: int) -> str:
    match column:
        case 0:
            return str(row.path)
        case 2 if row.started_at is not None:
            return f"{words.local_time(row.started_at)}, {words.started_from(row.started_from)}"
        case 6:
            return ". ".join(filter(None, (words.state(row.state), row.message)))
    return _text(row, column)
