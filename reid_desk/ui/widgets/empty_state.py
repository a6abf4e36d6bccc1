"""What an empty place says: what belongs here, and what to do next."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QPushButton, QWidget

from reid_desk.ui.widgets.icon_label import IconLabel
from reid_desk.ui.widgets.layout import column, row
from reid_desk.ui.widgets.text import label

_TEXT_WIDTH = 440
_ALL_IT_CAN_TAKE = 1_000


class EmptyState(QWidget):
    """An icon, one heading, one or two sentences, the buttons that lead on."""

    def __init__(self, icon: str, heading: str, text: str, *buttons: QPushButton) -> None:
        super().__init__()
        picture = IconLabel(icon, 48, role=QPalette.ColorRole.PlaceholderText)
        self._heading = label(heading, size="heading", wrap=True)
        self._text = label(text, tone="muted", wrap=True)
        inside = column(row(None, picture, None), 8)
        for words in (self._heading, self._text):
            words.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            words.setMaximumWidth(_TEXT_WIDTH)
            line = row(None, words, None)
            line.setStretch(1, _ALL_IT_CAN_TAKE)
            inside.addLayout(line)
        if buttons:
            inside.addSpacing(8)
            inside.addLayout(row(None, *buttons, None))
        self.setLayout(column(None, inside, None, margin=24))

    def say(self, heading: str, text: str) -> None:
        """Change the words."""
        self._heading.setText(heading)
        self._text.setText(text)
