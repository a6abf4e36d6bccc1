"""Possible matches as a list, best first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt

from reid_desk.investigation.person_search import PossibleMatch
from reid_desk.ui import words
from reid_desk.ui.models.clips import Index
from reid_desk.ui.models.roles import CameraRole, CropRole, RankRole, ScoreRole, VerdictRole


class MatchesModel(QAbstractListModel):
    """The answer to one query."""

    def __init__(self, verdict_on: Callable[[int], bool | None]) -> None:
        """Ask ``verdict_on`` what was said of a track."""
        super().__init__()
        self._matches: list[PossibleMatch] = []
        self._verdict_on = verdict_on

    def show_verdicts(self) -> None:
        """Show what is said of the matches now."""
        if self._matches:
            self.dataChanged.emit(self.index(0), self.index(len(self._matches) - 1), [VerdictRole])

    def row_of(self, track_id: int | None) -> int | None:
        """Return where a track is in the list, if it is."""
        return next((row for row, match in enumerate(self._matches) if match.track_id == track_id), None)

    def not_judged_after(self, row: int) -> PossibleMatch | None:
        """Return the next match below ``row`` that nothing was said of, or the first one above it."""
        later = [*self._matches[row + 1 :], *self._matches[:row]]
        return next((match for match in later if self._verdict_on(match.track_id) is None), None)

    def set_matches(self, matches: Sequence[PossibleMatch]) -> None:
        """Show this answer."""
        self.beginResetModel()
        self._matches = list(matches)
        self.endResetModel()

    def match_at(self, number: int) -> PossibleMatch:
        """Return possible match ``number``, counted from 0."""
        return self._matches[number]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008, D102 - Qt's name
        return 0 if parent.isValid() else len(self._matches)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102 - Qt's
        match = self._matches[index.row()]
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            text = self.tr("Possible match {rank}: {likeness} ({score:.2f}), {camera}, {time}").format(
                rank=match.rank,
                likeness=words.likeness(match.score),
                score=match.score,
                camera=match.camera,
                time=words.local_time(match.time),
            )
            verdict = words.verdict(self._verdict_on(match.track_id))
            return f"{text}. {verdict}" if verdict else text
        return {
            CropRole: match.crop,
            CameraRole: match.camera,
            ScoreRole: match.score,
            RankRole: match.rank,
            VerdictRole: self._verdict_on(match.track_id),
        }.get(role)
