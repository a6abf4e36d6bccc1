"""What a search asks: the query, and the filters beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QBuffer, QByteArray, QIODevice
from PySide6.QtGui import QImage, QImageWriter

from reid_desk.errors import FootageError
from reid_desk.site.records import Crop, Subject

LARGEST_IMAGE = 64 * 1024 * 1024


@dataclass(frozen=True)
class Query:
    """Whom to look for: a crop of the site, or a picture from elsewhere.

    ``image`` holds an encoded picture where ``crop`` is ``None``; ``name`` says where it comes from.
    """

    crop: Crop | None = None
    image: bytes = b""
    name: str = ""

    @property
    def subject(self) -> Subject:
        """Whom verdicts on its possible matches are about."""
        if self.crop is not None:
            return Subject(track_id=self.crop.track_id)
        return Subject(image=hashlib.sha256(self.image).hexdigest())


@dataclass(frozen=True)
class Filters:
    """What the answer is limited to.

    ``cameras`` is ``None`` for all; ``minimum`` is a likeness (cosine), ``None`` for any.
    """

    cameras: tuple[int, ...] | None = None
    minimum: float | None = None
    hide_own_camera: bool = False
    hide_judged: bool = False
    top: int = 50


def query_of_file(path: Path) -> Query:
    """Return the query that an image file asks.

    Raises:
        FootageError: the file cannot be an image of a person.
    """
    if not path.is_file():
        raise FootageError(f"{path} is no image file. Choose a picture of one person.")
    if path.stat().st_size > LARGEST_IMAGE:
        raise FootageError(f"{path.name} is larger than 64 MB. Choose a picture of one person.")
    return Query(image=path.read_bytes(), name=path.name)


def query_of_image(image: QImage, name: str) -> Query:
    """Return the query that a picture in memory asks."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"PNG")).write(image)
    return Query(image=bytes(buffer.data().data()), name=name)


def allowed_cameras(query: Query, filters: Filters, all_cameras: Sequence[int]) -> tuple[int, ...] | None:
    """Return the cameras that ``filters`` leave for ``query``; ``None`` for all."""
    chosen = filters.cameras
    if filters.hide_own_camera and query.crop is not None:
        own = query.crop.camera_id
        chosen = tuple(camera for camera in (all_cameras if chosen is None else chosen) if camera != own)
    return chosen
