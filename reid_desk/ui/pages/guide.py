"""What an empty site shows: the three steps to the first search, and the way to the demo."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QWidget

from reid_desk.ui.actions import Actions
from reid_desk.ui.desk import Desk
from reid_desk.ui.widgets.buttons import ActionButton
from reid_desk.ui.widgets.icon_label import IconLabel
from reid_desk.ui.widgets.layout import UNIT, Card, column, row
from reid_desk.ui.widgets.text import label

_CARD_WIDTH = 264


class Guide(QWidget):
    """Three cards and a button; the card of a step that is done says so."""

    def __init__(self, desk: Desk, actions: Actions) -> None:
        super().__init__()
        self._desk = desk
        self._labelled = label(tone="muted", wrap=True)
        steps = row(
            None,
            self._step(
                "footage",
                self.tr("1  Drop your footage here"),
                label(
                    self.tr("Video files or folders of them. People are found in them on this machine."),
                    tone="muted",
                    wrap=True,
                ),
                ActionButton(actions["footage.add"], icon="add", kind="primary"),
            ),
            self._step(
                "labels",
                self.tr("2  Add a labelled source"),
                self._labelled,
                ActionButton(actions["source.add"], icon="folder"),
            ),
            self._step(
                "adapt",
                self.tr("3  Adapt to site"),
                label(
                    self.tr("The desk learns what people look like on your cameras. Then search."),
                    tone="muted",
                    wrap=True,
                ),
                ActionButton(actions["page.adapt"], icon="adapt"),
            ),
            None,
            spacing=2 * UNIT,
        )
        demo = ActionButton(actions["demo.try"], icon="demo", kind="quiet")
        hint = label(
            self.tr("No footage at hand? The demo fills this site with generated people and cameras."),
            tone="muted",
        )
        hint.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        heading = label(self.tr("From footage to a search in three steps"), size="heading")
        self.setLayout(
            column(
                None,
                row(None, heading, None),
                UNIT,
                steps,
                2 * UNIT,
                row(None, hint, None),
                row(None, demo, None),
                None,
                None,
            )
        )
        desk.refreshed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Say what is there already."""
        sources = self._desk.summary.sources
        self._labelled.setText(
            self.tr("Added: {name}.").format(name=sources[-1].name)
            if sources
            else self.tr("A folder of images of people who are known, such as Market-1501.")
        )

    def _step(self, icon: str, heading: str, text: QWidget, button: QWidget) -> Card:
        picture = IconLabel(icon, 32, role=QPalette.ColorRole.Accent)
        title = label(heading, size="heading", wrap=True)
        card = Card(picture, 4, title, text, None, button, margin=20)
        card.setFixedWidth(_CARD_WIDTH)
        card.setMinimumHeight(228)
        return card
