"""Small plots by pyqtgraph, which takes half a second to load: that is done in the background, after the start."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QVBoxLayout, QWidget

from reid_desk.ui.appearance import Appearance
from reid_desk.ui.tones import Tones

REDRAW_MS = 100
_CANVAS_EVERY_S = 0.15
_DASHES = (Qt.PenStyle.SolidLine, Qt.PenStyle.DashLine, Qt.PenStyle.DotLine, Qt.PenStyle.DashDotLine)

Line = tuple[Sequence[float], Sequence[float]]


@cache
def load() -> Any:
    """Load pyqtgraph, on any thread, and return it. Plots wait until that was done once."""
    import pyqtgraph  # noqa: PLC0415 - half a second

    return pyqtgraph


def _loaded() -> bool:
    return load.cache_info().currsize > 0


def line_pen(tones: Tones, number: int, *, width: float = 1.8) -> QPen:
    """Return the pen of line ``number``: colours and dashes differ both."""
    colours = (tones.accent, tones.second, tones.warning, tones.good)
    pen = QPen(QColor(colours[number % len(colours)]))
    pen.setWidthF(width)
    pen.setStyle(_DASHES[number % len(_DASHES)])
    pen.setCosmetic(True)
    return pen


class Plot(QWidget):
    """A few named lines, redrawn at most ten times a second.

    Making a canvas takes a while, so several plots that appear together get theirs one after the other.
    """

    _next_canvas = 0.0

    def __init__(
        self, name: str, appearance: Appearance, *, height: int, left: str = "", bottom: str = ""
    ) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.setMinimumHeight(height)
        self._appearance = appearance
        self._left, self._bottom = left, bottom
        self._lines: dict[str, Line] = {}
        self._curves: dict[str, Any] = {}
        self.canvas: Any = None
        self._place = QVBoxLayout()
        self._place.setContentsMargins(0, 0, 0, 0)
        self.setLayout(self._place)
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(REDRAW_MS)
        self._redraw.timeout.connect(self._draw)
        appearance.changed.connect(self._dress)

    def show_lines(self, lines: Mapping[str, Line]) -> None:
        """Show these lines (name -> places, values) from the next redraw on."""
        self._lines = dict(lines)
        if not self._redraw.isActive():
            self._redraw.start()

    def draw_now(self) -> None:
        """Do not wait for the next redraw."""
        load()
        self._redraw.stop()
        self._draw()

    def _draw(self) -> None:
        if not self._lines and self.canvas is None:
            return
        if self.canvas is None and (not _loaded() or time.monotonic() < Plot._next_canvas):
            self._redraw.start()
            return
        if self.canvas is None:
            self._make_canvas()
        for name in set(self._curves) - set(self._lines):
            self.canvas.removeItem(self._curves.pop(name))
        for number, (name, (places, values)) in enumerate(self._lines.items()):
            if name not in self._curves:
                self._curves[name] = self.canvas.plot(
                    pen=line_pen(self._appearance.tones, number), antialias=True
                )
            self._curves[name].setData(list(places), list(values))

    def _make_canvas(self) -> None:
        Plot._next_canvas = time.monotonic() + _CANVAS_EVERY_S
        self.canvas = load().PlotWidget()
        self.canvas.setMenuEnabled(False)
        self.canvas.setMouseEnabled(x=False, y=False)
        self.canvas.hideButtons()
        self.canvas.setAccessibleName(self.accessibleName())
        self.canvas.setFrameShape(self.canvas.Shape.NoFrame)
        self.canvas.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._place.addWidget(self.canvas)
        self._dress()

    def _dress(self) -> None:
        if self.canvas is None:
            return
        tones = self._appearance.tones
        self.canvas.setBackground(tones.surface)
        for side, text in (("left", self._left), ("bottom", self._bottom)):
            axis = self.canvas.getAxis(side)
            axis.setPen(QColor(tones.border))
            axis.setTextPen(QColor(tones.muted))
            if text:
                axis.setLabel(text, color=tones.muted)
        self.canvas.showGrid(x=True, y=True, alpha=0.25)
        for number, name in enumerate(self._lines):
            if name in self._curves:
                self._curves[name].setPen(line_pen(tones, number))
