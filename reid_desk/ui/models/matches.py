"""Possible matches as a list, best first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt

from reid_desk.investigation.person_search import PossibleMatch
from reid_desk.ui import words
from reid_desk.ui.models.clips import Index
from reid_desk.ui.models.roles import CameraRole, CropRole, RankRole, ScoreRole


class MatchesModel(QAbstractListModel):
    """The answer to one query."""

    def __init__(self) -> None:
        super().__init__()
        self._matches: list[PossibleMatch] = []

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
            return self.tr("Possible match {rank}: {likeness} ({score:.2f}), {camera}, {time}").format(
                rank=match.rank,
                likeness=words.likeness(match.score),
                score=match.score,
                camera=match.camera,
                time=words.local_time(match.time),
            )
        return {
            CropRole: match.crop,
            CameraRole: match.camera,
            ScoreRole: match.score,
            RankRole: match.rank,
        }.get(role)
