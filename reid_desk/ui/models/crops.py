"""The crops of a site as a list, read from the database page by page as they come into sight."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, Qt, Signal

from reid_desk.site import Site
from reid_desk.site.records import Crop
from reid_desk.ui import words
from reid_desk.ui.background import Background
from reid_desk.ui.models.clips import Index
from reid_desk.ui.models.roles import CameraRole, CropRole, RankRole, ScoreRole

PAGE = 256
_PAGES_KEPT = 64


class CropsModel(QAbstractListModel):
    """Crops in the order of time, of all cameras or of some.

    ``counted`` carries the number of crops once it is known.
    """

    counted = Signal(int)

    def __init__(self, site: Site, background: Background) -> None:
        super().__init__()
        self._site = site
        self._background = background
        self._cameras: tuple[int, ...] | None = None
        self._names: Mapping[int, str] = {}
        self._count = 0
        self._pages: OrderedDict[int, list[Crop]] = OrderedDict()
        self._asked: set[int] = set()
        self._generation = 0

    def show(self, cameras: Sequence[int] | None, names: Mapping[int, str]) -> None:
        """Show the crops of ``cameras`` (ids; all if ``None``); ``names`` are all cameras' names by id."""
        self._names = names
        self._cameras = None if cameras is None else tuple(cameras)
        self._generation += 1
        generation, site, wanted = self._generation, self._site, self._cameras
        self._background.run(
            lambda: site.count_crops(cameras=wanted), lambda count: self._take_count(generation, count)
        )

    def crop_at(self, number: int) -> Crop | None:
        """Return crop ``number``, or ``None`` and have its page read."""
        page = number // PAGE
        found = self._pages.get(page)
        if found is None:
            self._ask(page)
            return None
        self._pages.move_to_end(page)
        return found[number % PAGE] if number % PAGE < len(found) else None

    def _take_count(self, generation: int, count: int) -> None:
        if generation != self._generation:
            return
        self.beginResetModel()
        self._count = count
        self._pages.clear()
        self._asked.clear()
        self.endResetModel()
        self.counted.emit(count)

    def _ask(self, page: int) -> None:
        if page in self._asked:
            return
        self._asked.add(page)
        generation, site, wanted = self._generation, self._site, self._cameras
        self._background.run(
            lambda: site.crops(offset=page * PAGE, limit=PAGE, cameras=wanted),
            lambda crops: self._take_page(generation, page, crops),
        )

    def _take_page(self, generation: int, page: int, crops: list[Crop]) -> None:
        if generation != self._generation:
            return
        self._asked.discard(page)
        self._pages[page] = crops
        while len(self._pages) > _PAGES_KEPT:
            self._pages.popitem(last=False)
        first = page * PAGE
        if first < self._count:
            self.dataChanged.emit(self.index(first), self.index(min(first + PAGE, self._count) - 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: N802, B008, D102 - Qt's name
        return 0 if parent.isValid() else self._count

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:  # noqa: D102 - Qt's
        if role in (ScoreRole, RankRole, Qt.ItemDataRole.DecorationRole):
            return None
        crop = self.crop_at(index.row())
        if role == CropRole or crop is None:
            return crop
        camera = self._names.get(crop.camera_id, "")
        if role == CameraRole:
            return camera
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return f"{camera}, {words.local_time(crop.time)}"
        return None
