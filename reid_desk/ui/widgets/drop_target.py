"""Lets a page take files that are dragged onto it, and shows that it will."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, QMimeData, QObject, Qt
from PySide6.QtGui import QDropEvent
from PySide6.QtWidgets import QFrame, QWidget

from reid_desk.ui.widgets.icon_label import IconLabel
from reid_desk.ui.widgets.layout import column, row
from reid_desk.ui.widgets.text import label


def dropped_paths(data: QMimeData) -> list[Path]:
    """Return the local files and folders in ``data``."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]


class DropTarget(QObject):
    """Watches ``widget`` for drags of files; ``take`` gets the paths once they are dropped.

    While the files hover, the widget is covered by an invitation with the words that ``invitation`` gives.
    """

    def __init__(
        self, widget: QWidget, invitation: Callable[[], str], take: Callable[[Sequence[Path]], None]
    ) -> None:
        super().__init__(widget)
        self._widget = widget
        self._take = take
        self._cover = QFrame(widget)
        self._cover.setProperty("role", "drop")
        self._cover.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._invitation = invitation
        self._words = label(size="heading")
        self._cover.setLayout(
            column(None, row(None, IconLabel("add", 48), None), row(None, self._words, None), None, margin=24)
        )
        self._cover.hide()
        widget.setAcceptDrops(True)
        widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802, D102 - Qt's name
        match event.type():
            case QEvent.Type.DragEnter | QEvent.Type.DragMove if isinstance(event, QDropEvent):
                if not dropped_paths(event.mimeData()):
                    return False
                event.setDropAction(Qt.DropAction.CopyAction)
                event.accept()
                self._show_cover()
                return True
            case QEvent.Type.DragLeave:
                self._cover.hide()
                return True
            case QEvent.Type.Drop if isinstance(event, QDropEvent):
                self._cover.hide()
                event.acceptProposedAction()
                self._take(dropped_paths(event.mimeData()))
                return True
        return False

    def _show_cover(self) -> None:
        if self._cover.isHidden():
            self._words.setText(self._invitation())
            self._cover.setGeometry(self._widget.rect().adjusted(16, 16, -16, -16))
            self._cover.raise_()
            self._cover.show()
