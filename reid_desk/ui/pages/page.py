"""What every page of the window has in common."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from reid_desk.ui.actions import Actions
from reid_desk.ui.desk import Desk
from reid_desk.ui.widgets.layout import UNIT, column, row
from reid_desk.ui.widgets.text import label


class Page(QWidget):
    """One page: a heading with its buttons, and the content below.

    Attributes:
        name: its name in the table of actions and among the help pages.
        selection: whether something is selected on it.
        results: whether it shows possible matches.

    ``state_changed`` is emitted when ``selection`` or ``results`` did.
    """

    state_changed = Signal()

    def __init__(self, name: str, desk: Desk, actions: Actions) -> None:
        super().__init__()
        self.setObjectName(f"page-{name}")
        self.name = name
        self.desk = desk
        self.actions_ = actions
        self.selection = False
        self.results = False
        self.buttons: QHBoxLayout = row()
        self._title = label(size="title")
        self._subtitle = label(tone="muted", wrap=True)
        heading = column(self._title, self._subtitle, spacing=2)
        top = QHBoxLayout()
        top.addLayout(heading, 1)
        top.addLayout(self.buttons)
        self.content: QVBoxLayout = column()
        whole = column(top, self.content, spacing=2 * UNIT)
        whole.setContentsMargins(3 * UNIT, 2 * UNIT + 4, 3 * UNIT, 2 * UNIT)
        whole.setStretch(1, 1)
        self.setLayout(whole)

    def set_heading(self, title: str, subtitle: str) -> None:
        """Say what the page is and what can be done on it."""
        self.setAccessibleName(title)
        self._title.setText(title)
        self._subtitle.setText(subtitle)

    def set_state(self, *, selection: bool | None = None, results: bool | None = None) -> None:
        """Note what is selected and shown, and tell the window if that is new."""
        before = (self.selection, self.results)
        if selection is not None:
            self.selection = selection
        if results is not None:
            self.results = results
        if before != (self.selection, self.results):
            self.state_changed.emit()
