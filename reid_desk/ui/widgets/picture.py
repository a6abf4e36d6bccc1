"""One picture, as large as its place allows, never larger than sharp."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize
from PySide6.QtGui import QImage, QPainter, QPainterPath, QPaintEvent, QPalette
from PySide6.QtWidgets import QSizePolicy, QWidget

from reid_desk.ui import icons

_LARGEST_SCALE = 4.0


class Picture(QWidget):
    """Shows an image centred, its proportions kept; an icon stands for none."""

    def __init__(self, name: str, *, icon: str = "person", minimum: QSize | None = None) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self._icon = icon
        self._image = QImage()
        self._ground = True
        self.setMinimumSize(minimum or QSize(96, 160))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def show_image(self, image: QImage) -> None:
        """Show ``image``; a null image shows the icon."""
        self._image = image
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102 - Qt's name
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        whole = QRectF(self.rect())
        ground = QPainterPath()
        ground.addRoundedRect(whole, 8, 8)
        painter.fillPath(ground, self.palette().color(QPalette.ColorRole.AlternateBase))
        if self._image.isNull():
            faint = self.palette().color(QPalette.ColorRole.PlaceholderText)
            drawn = icons.pixmap(self._icon, 40, faint)
            painter.drawPixmap(whole.center() - QPointF(20, 20), drawn)
            return
        width, height = self._image.width(), self._image.height()
        scale = min(whole.width() / width, whole.height() / height, _LARGEST_SCALE)
        place = QRectF(0, 0, width * scale, height * scale)
        place.moveCenter(whole.center())
        painter.setClipPath(ground)
        painter.drawImage(place, self._image)
