"""The roles by which tiles of crops and of possible matches are painted."""

from __future__ import annotations

from PySide6.QtCore import Qt

CropRole = Qt.ItemDataRole.UserRole + 1  # reid_desk.site.Crop, or None while its page is read
CameraRole = Qt.ItemDataRole.UserRole + 2  # the camera's name
ScoreRole = Qt.ItemDataRole.UserRole + 3  # likeness -1..1, or None in the gallery
VerdictRole = Qt.ItemDataRole.UserRole + 5  # True: judged the same person, False: another, None: not judged
RankRole = Qt.ItemDataRole.UserRole + 4  # 1 for the best, or None in the gallery
