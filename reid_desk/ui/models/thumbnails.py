"""Crops as small pictures: decoded at the size shown, off the event loop, what is visible first.

A view asks while it paints, so the newest requests are the visible ones: they are served last in, first out.
Requests that fell behind are dropped, and are asked for again when their cell is painted again.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage, QImageReader, QPixmap

from reid_desk.ui.background import Background

_BUDGET_BYTES = 128 * 1024 * 1024
_MOST_WAITING = 512
_BATCH = 24
_THREADS = 2
_REPAINT_MS = 16

Key = tuple[int, int]  # crop id, height in device pixels


def decode(jpeg: bytes, height: int) -> QImage:
    """Return the picture scaled to ``height`` while it is decoded; a null image if it is none."""
    buffer = QBuffer()
    buffer.setData(QByteArray(jpeg))
    buffer.open(QIODevice.OpenModeFlag.ReadOnly)
    reader = QImageReader(buffer)
    size = reader.size()
    if size.isValid() and size.height() > height:
        reader.setScaledSize(QSize(max(round(size.width() * height / size.height()), 1), height))
    return reader.read()


class Thumbnails(QObject):
    """A cache of decoded crops, least recently used out first.

    ``changed`` is emitted, at most once a frame, when pictures have arrived: views repaint.
    """

    changed = Signal()

    def __init__(
        self, fetch: Callable[[Sequence[int]], Mapping[int, bytes]], parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self._fetch = fetch
        self._background = Background(self, threads=_THREADS)
        self._cache: OrderedDict[Key, QPixmap] = OrderedDict()
        self._bytes = 0
        self._waiting: OrderedDict[Key, None] = OrderedDict()
        self._working: set[Key] = set()
        self._free = _THREADS
        self._repaint = QTimer(self)
        self._repaint.setSingleShot(True)
        self._repaint.setInterval(_REPAINT_MS)
        self._repaint.timeout.connect(self.changed)

    def get(self, crop_id: int, height: int) -> QPixmap | None:
        """Return the picture of ``height`` device pixels, or ``None`` and have it made."""
        key = (crop_id, height)
        found = self._cache.get(key)
        if found is not None:
            self._cache.move_to_end(key)
            return found
        if key not in self._working:
            self._waiting[key] = None
            self._waiting.move_to_end(key)
            if len(self._waiting) > _MOST_WAITING:
                self._waiting.popitem(last=False)
            if self._free:
                QTimer.singleShot(0, self._start)
        return None

    def close(self) -> None:
        """Stop the threads."""
        self._background.shut_down()

    def _start(self) -> None:
        while self._free and self._waiting:
            batch = [self._waiting.popitem()[0] for _ in range(min(_BATCH, len(self._waiting)))]
            self._working.update(batch)
            self._free -= 1
            self._background.run(partial(self._make, batch), self._take, self._give_up(batch))

    def _make(self, batch: Sequence[Key]) -> list[tuple[Key, QImage]]:
        bytes_of = self._fetch([crop_id for crop_id, _ in batch])
        return [(key, decode(bytes_of.get(key[0], b""), key[1])) for key in batch]

    def _take(self, made: Sequence[tuple[Key, QImage]]) -> None:
        self._free += 1
        for key, image in made:
            self._working.discard(key)
            self._keep(key, QPixmap.fromImage(image) if not image.isNull() else _nothing())
        self._repaint.start()
        self._start()

    def _give_up(self, batch: Sequence[Key]) -> Callable[[Exception], None]:
        def failed(_error: Exception) -> None:
            self._take([(key, QImage()) for key in batch])

        return failed

    def _keep(self, key: Key, picture: QPixmap) -> None:
        self._cache[key] = picture
        self._bytes += _size(picture)
        while self._bytes > _BUDGET_BYTES and len(self._cache) > 1:
            _, old = self._cache.popitem(last=False)
            self._bytes -= _size(old)


def _size(picture: QPixmap) -> int:
    return picture.width() * picture.height() * max(picture.depth() // 8, 1)


def _nothing() -> QPixmap:
    empty = QPixmap(1, 1)
    empty.fill(Qt.GlobalColor.transparent)
    return empty
