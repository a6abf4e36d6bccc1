"""What opens when no site was named: recent sites, a new one, another one, the demo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QDialog, QFileDialog, QListWidget, QListWidgetItem

from reid_desk.ui import icons
from reid_desk.ui.preferences import Preferences
from reid_desk.ui.widgets.buttons import Button
from reid_desk.ui.widgets.icon_label import IconLabel
from reid_desk.ui.widgets.layout import UNIT, column, row
from reid_desk.ui.widgets.text import label

Way = Literal["open", "create", "demo"]
_LINE_HEIGHT = 56
_PathRole = Qt.ItemDataRole.UserRole


class StartDialog(QDialog):
    """Lets the operator choose a site.

    ``chosen`` carries the folder and whether to open it, to create a site in it, or to fill one with the
    demo.
    """

    chosen = Signal(object, str)

    def __init__(self, preferences: Preferences) -> None:
        super().__init__()
        self.setWindowTitle("ReID Desk")
        self.setMinimumSize(640, 440)
        self.recent = QListWidget()
        self.recent.setAccessibleName(self.tr("Recent sites"))
        self.recent.setIconSize(QSize(24, 24))
        for path in preferences.recent_sites():
            item = QListWidgetItem(icons.icon("folder"), f"{path.name}\n{path.parent}")
            item.setData(_PathRole, path)
            item.setSizeHint(QSize(0, _LINE_HEIGHT))
            self.recent.addItem(item)
        self.recent.itemActivated.connect(lambda item: self.chosen.emit(item.data(_PathRole), "open"))
        self._error = label(tone="bad", wrap=True)
        self._error.hide()
        create = self._button(
            self.tr("Create a site…"), "add", lambda: self._ask_folder("create"), primary=True
        )
        open_ = self._button(self.tr("Open a site…"), "folder", lambda: self._ask_folder("open"))
        demo = self._button(self.tr("Try the demo…"), "demo", lambda: self._ask_folder("demo"))
        about = label(
            self.tr(
                "A site is one place under watch: one folder on this machine that holds all that is known "
                "about it."
            ),
            tone="muted",
            wrap=True,
        )
        head = row(IconLabel("reid-desk", 48), 8, column(label("ReID Desk", size="title"), about, spacing=2))
        head.setStretch(2, 1)
        buttons = column(create, open_, demo, None, spacing=UNIT)
        if self.recent.count():
            self.recent.setCurrentRow(0)
            left = column(label(self.tr("Recent sites"), size="heading"), self.recent)
        else:
            nothing = label(self.tr("Sites that you open appear here."), tone="muted", wrap=True)
            left = column(label(self.tr("No site yet"), size="heading"), nothing, None)
        body = row(left, buttons, spacing=3 * UNIT)
        body.setStretch(0, 1)
        self.setLayout(column(head, UNIT, self._error, body, margin=3 * UNIT, spacing=12))

    def show_error(self, text: str) -> None:
        """Say why a site could not be opened; another can be chosen."""
        self._error.setText(text)
        self._error.show()

    def _button(self, text: str, icon: str, act: Callable[[], None], *, primary: bool = False) -> Button:
        made = Button(text, icon=icon, kind="primary" if primary else "plain")
        made.setAutoDefault(False)
        made.clicked.connect(act)
        return made

    def _ask_folder(self, way: Way) -> None:
        title = {
            "open": self.tr("Open a site"),
            "create": self.tr("Choose a new or empty folder for the site"),
            "demo": self.tr("Choose a new or empty folder for the demo site"),
        }[way]
        chosen = QFileDialog.getExistingDirectory(self, title)
        if chosen:
            self.chosen.emit(Path(chosen), way)
