"""The help windows: one page of text a page of the desk, and the table of shortcuts."""

from __future__ import annotations

from html import escape

from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QDialog, QTextBrowser, QWidget

import reid_desk
import resources
from reid_desk.ui.actions import Actions
from reid_desk.ui.widgets.buttons import Button
from reid_desk.ui.widgets.layout import column, row


class HelpDialog(QDialog):
    """Shows one text; stays open beside the desk."""

    def __init__(self, title: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.resize(640, 620)
        self.text = QTextBrowser()
        self.text.setOpenExternalLinks(True)
        self.text.setAccessibleName(title)
        close = Button(self.tr("Close"))
        close.setDefault(True)
        close.clicked.connect(self.accept)
        self.setLayout(column(self.text, row(None, close), margin=16, spacing=12))


def page_help(page: str, parent: QWidget) -> HelpDialog:
    """Return the help on ``page``."""
    dialog = HelpDialog(parent.tr("Help"), parent)
    dialog.text.setMarkdown(resources.read_text(f"help/{page}.md"))
    return dialog


def shortcuts_help(actions: Actions, parent: QWidget) -> HelpDialog:
    """Return the table of all shortcuts."""
    dialog = HelpDialog(parent.tr("Keyboard shortcuts"), parent)
    lines = []
    for _spec, action in actions:
        keys = [keys.toString(QKeySequence.SequenceFormat.NativeText) for keys in action.shortcuts()]
        if keys:
            text = escape(action.text().replace("&", ""))
            lines.append(f"<tr><td>{text}</td><td><b>{escape(', '.join(keys))}</b></td></tr>")
    dialog.text.setHtml(f"<table cellpadding='6' width='100%'>{''.join(lines)}</table>")
    return dialog


def about(parent: QWidget) -> HelpDialog:
    """Return what the program is."""
    dialog = HelpDialog(parent.tr("About ReID Desk"), parent)
    dialog.resize(480, 360)
    dialog.text.setMarkdown(resources.read_text("help/about.md").format(version=reid_desk.__version__))
    return dialog
