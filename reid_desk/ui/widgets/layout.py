"""Boxes, cards and lines on the window's grid of 8 px."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QLayout,
    QScrollArea,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

UNIT = 8
Item = QWidget | QLayout | int | None


def column(*items: Item, margin: int = 0, spacing: int = UNIT) -> QVBoxLayout:
    """Stack ``items``; a number is a gap of so many pixels, ``None`` takes the free room."""
    made = QVBoxLayout()
    _fill(made, items, margin, spacing)
    return made


def row(*items: Item, margin: int = 0, spacing: int = UNIT) -> QHBoxLayout:
    """Line ``items`` up; a number is a gap of so many pixels, ``None`` takes the free room."""
    made = QHBoxLayout()
    _fill(made, items, margin, spacing)
    return made


def _fill(layout: QBoxLayout, items: tuple[Item, ...], margin: int, spacing: int) -> None:
    layout.setContentsMargins(margin, margin, margin, margin)
    layout.setSpacing(spacing)
    for item in items:
        if item is None:
            layout.addStretch(1)
        elif isinstance(item, int):
            layout.addSpacing(item)
        elif isinstance(item, QWidget):
            layout.addWidget(item)
        else:
            layout.addLayout(item)


class Card(QFrame):
    """A quiet box that holds one thing together; ``body`` is its column."""

    def __init__(self, *items: Item, margin: int = 2 * UNIT, role: str = "card") -> None:
        super().__init__()
        self.setProperty("role", role)
        self.body = column(*items, margin=margin)
        self.setLayout(self.body)


def holder(layout: QLayout) -> QWidget:
    """Return a plain widget that has ``layout``."""
    made = QWidget()
    made.setLayout(layout)
    return made


def line() -> QFrame:
    """Return a hairline."""
    made = QFrame()
    made.setProperty("role", "line")
    made.setFixedHeight(1)
    return made


def scrolled(inside: QWidget, name: str) -> QScrollArea:
    """Return ``inside`` in an area that scrolls downwards; ``name`` is what a screen reader calls it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidget(inside)
    area.viewport().setAutoFillBackground(False)
    inside.setAutoFillBackground(False)
    area.setAccessibleName(name)
    area.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
    return area
