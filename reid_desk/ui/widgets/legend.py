"""Names the lines of a plot, each with a sample of its pen and its latest value."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import QSize
from PySide6.QtGui import QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from reid_desk.ui.appearance import Appearance
from reid_desk.ui.widgets.plots import line_pen

_SAMPLE, _GAP = 20, 6


class Legend(QWidget):
    """One entry a line, wrapped where the room ends."""

    def __init__(self, appearance: Appearance) -> None:
        super().__init__()
        self._appearance = appearance
        self._entries: list[str] = []
        self._rows = 1
        self.setFixedHeight(self.fontMetrics().height() + 4)

    def show_values(self, values: Mapping[str, str]) -> None:
        """Show these entries (name -> text of the value)."""
        self._entries = [f"{name} {value}".strip() for name, value in values.items()]
        self.setAccessibleName(", ".join(self._entries))
        self._fit()
        self.update()

    def sizeHint(self) -> QSize:  # noqa: N802, D102 - Qt's name
        return QSize(160, self._rows * (self.fontMetrics().height() + 4))

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102 - Qt's name
        self._fit()

    def _places(self) -> list[tuple[int, int, str]]:
        metrics = self.fontMetrics()
        left, row, places = 0, 0, []
        for entry in self._entries:
            width = _SAMPLE + _GAP + metrics.horizontalAdvance(entry) + 2 * _GAP
            if left and left + width > self.width():
                left, row = 0, row + 1
            places.append((left, row, entry))
            left += width
        return places

    def _fit(self) -> None:
        self._rows = max((row for _, row, _ in self._places()), default=0) + 1
        self.setFixedHeight(self._rows * (self.fontMetrics().height() + 4))

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102 - Qt's name
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        line = self.fontMetrics().height() + 4
        for number, (left, row, entry) in enumerate(self._places()):
            middle = row * line + line // 2
            painter.setPen(line_pen(self._appearance.tones, number))
            painter.drawLine(left, middle, left + _SAMPLE, middle)
            painter.setPen(self.palette().windowText().color())
            painter.drawText(left + _SAMPLE + _GAP, row * line + self.fontMetrics().ascent() + 2, entry)
