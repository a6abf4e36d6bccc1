"""Our own icons: one-colour SVG, drawn in the palette's colour at the moment they are asked for."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QRectF, Qt
from PySide6.QtGui import QColor, QGuiApplication, QIcon, QPainter, QPalette, QPixmap, QPixmapCache
from PySide6.QtSvg import QSvgRenderer

import resources

_SIZES = (18, 20)  # of buttons and menus, and of the rail


@lru_cache(maxsize=64)
def _drawing(name: str) -> str:
    return resources.read_text(f"icons/{name}.svg")


def pixmap(name: str, size: int, colour: QColor | None = None, *, ratio: float | None = None) -> QPixmap:
    """Return the icon ``name`` as a square of ``size`` logical pixels.

    ``colour`` replaces ``currentColor`` and is the palette's text colour by default; ``ratio`` is the
    screen's device pixels a logical pixel.
    """
    app = QGuiApplication.instance()
    if ratio is None:
        ratio = app.devicePixelRatio() if isinstance(app, QGuiApplication) else 1.0
    colour = colour or QGuiApplication.palette().color(QPalette.ColorRole.WindowText)
    key = f"{name} {size} {ratio} {colour.rgba()}"
    known = QPixmap()
    if QPixmapCache.find(key, known):
        return known
    drawn = QPixmap(round(size * ratio), round(size * ratio))
    drawn.setDevicePixelRatio(ratio)
    drawn.fill(Qt.GlobalColor.transparent)
    source = _drawing(name).replace("currentColor", colour.name())
    painter = QPainter(drawn)
    painter.setOpacity(colour.alphaF())
    QSvgRenderer(QByteArray(source.encode())).render(painter, QRectF(0, 0, size, size))
    painter.end()
    QPixmapCache.insert(key, drawn)
    return drawn


def icon(name: str, colour: QColor | None = None) -> QIcon:
    """Return the icon ``name`` in ``colour`` (by default the palette's text), with its disabled state."""
    palette = QGuiApplication.palette()
    faint = palette.color(QPalette.ColorGroup.Disabled, QPalette.ColorRole.WindowText)
    made = QIcon()
    for size in _SIZES:
        made.addPixmap(pixmap(name, size, colour), QIcon.Mode.Normal)
        made.addPixmap(pixmap(name, size, faint), QIcon.Mode.Disabled)
    return made
