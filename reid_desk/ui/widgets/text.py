"""Labels in the window's type scale: title, heading, body, small; plain or muted."""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont, QFontMetrics
from PySide6.QtWidgets import QLabel, QSizePolicy

Size = Literal["title", "heading", "body", "small"]
Tone = Literal["plain", "muted", "good", "warning", "bad"]
_SCALE = {"title": 1.7, "heading": 1.2, "body": 1.0, "small": 0.9}


def label(
    text: str = "",
    *,
    size: Size = "body",
    tone: Tone = "plain",
    wrap: bool = False,
) -> QLabel:
    """Return a label; its text can be selected by mouse where it wraps (messages worth copying)."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setFont(_scaled(made.font(), size))
    made.setProperty("tone", tone)
    if wrap:
        made.setWordWrap(True)
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    return made


def _scaled(font: QFont, size: Size) -> QFont:
    scaled = QFont(font)
    scaled.setPointSizeF(font.pointSizeF() * _SCALE[size])
    if size in ("title", "heading"):
        scaled.setWeight(QFont.Weight.DemiBold)
    return scaled


def set_tone(where: QLabel, tone: Tone) -> None:
    """Change the tone of a label."""
    if where.property("tone") != tone:
        where.setProperty("tone", tone)
        where.style().unpolish(where)
        where.style().polish(where)


class ElidedLabel(QLabel):
    """One line with an ellipsis where there is no room; the tool tip has it all.

    ``elide`` is where the ellipsis stands: in the middle of paths, at the end of sentences.
    """

    def __init__(
        self,
        text: str = "",
        *,
        size: Size = "body",
        tone: Tone = "plain",
        elide: Qt.TextElideMode = Qt.TextElideMode.ElideMiddle,
    ) -> None:
        super().__init__()
        self._mode = elide
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(_scaled(self.font(), size))
        self.setProperty("tone", tone)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._whole = ""
        self.set_whole_text(text)

    def set_whole_text(self, text: str) -> None:
        """Show ``text``, shortened as needed."""
        self._whole = text
        self.setToolTip(text)
        self.setAccessibleName(text)
        self._elide()

    def resizeEvent(self, event: object) -> None:  # noqa: N802, D102 - Qt's name
        self._elide()

    def _elide(self) -> None:
        metrics = QFontMetrics(self.font())
        self.setText(metrics.elidedText(self._whole, self._mode, max(self.width() - 2, 0)))
