"""The left side of the Search page: the query and the filters."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QCheckBox, QListWidget, QListWidgetItem, QSlider, QSpinBox, QWidget

from reid_desk.site.records import Camera
from reid_desk.ui.actions import Actions
from reid_desk.ui.pages.search_query import Filters
from reid_desk.ui.widgets.buttons import ActionButton
from reid_desk.ui.widgets.layout import Card, column, row
from reid_desk.ui.widgets.picture import Picture
from reid_desk.ui.widgets.text import label

WIDTH = 264
_SETTLE_MS = 150
_CAMERAS_SHOWN = 6
_IdRole = Qt.ItemDataRole.UserRole


class SearchPanel(QWidget):
    """Shows the query, holds the filters.

    ``filters_changed`` is emitted a moment after the last change.
    """

    filters_changed = Signal()

    def __init__(self, actions: Actions) -> None:
        super().__init__()
        self._picture = Picture(self.tr("Query"), minimum=QSize(96, 120))
        self._about = label(self.tr("Choose a crop, or bring a picture."), tone="muted", wrap=True)
        self._about.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self.cameras = QListWidget()
        self.cameras.setAccessibleName(self.tr("Cameras to search"))
        self.cameras.setProperty("role", "plain")
        self.cameras.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.hide_own = QCheckBox(self.tr("Hide the query's own camera"))
        self.hide_judged = QCheckBox(self.tr("Hide what is judged"))
        self.minimum = QSlider(Qt.Orientation.Horizontal)
        self.minimum.setRange(0, 95)
        self.minimum.setPageStep(5)
        self.minimum.setAccessibleName(self.tr("Minimum score"))
        self._minimum_text = label(tone="muted")
        self.top = QSpinBox()
        self.top.setRange(5, 500)
        self.top.setValue(50)
        self.top.setSingleStep(10)
        self.top.setAccessibleName(self.tr("How many possible matches at most"))
        self._settle = QTimer(self)
        self._settle.setSingleShot(True)
        self._settle.setInterval(_SETTLE_MS)
        self._settle.timeout.connect(self.filters_changed)
        query = Card(
            label(self.tr("Query"), size="heading"),
            self._picture,
            self._about,
            row(
                ActionButton(actions["search.open_image"], icon="image", text=self.tr("Image…")),
                ActionButton(actions["search.paste"], icon="paste", text=self.tr("Paste")),
            ),
        )
        query.body.setStretch(1, 1)
        filters = Card(
            label(self.tr("Filters"), size="heading"),
            label(self.tr("Cameras")),
            self.cameras,
            self.hide_own,
            self.hide_judged,
            row(label(self.tr("Minimum score")), None, self._minimum_text),
            self.minimum,
            row(label(self.tr("Show at most")), None, self.top),
        )
        whole = column(query, filters, spacing=12)
        whole.setStretch(0, 1)
        self.setLayout(whole)
        self._connect()
        self._say_minimum()

    def filters(self) -> Filters:
        """Return what the panel says now."""
        items = [self.cameras.item(number) for number in range(self.cameras.count())]
        chosen = [item for item in items if item.checkState() == Qt.CheckState.Checked]
        return Filters(
            cameras=None if len(chosen) == len(items) else tuple(item.data(_IdRole) for item in chosen),
            minimum=self.minimum.value() / 100 or None,
            hide_own_camera=self.hide_own.isChecked(),
            hide_judged=self.hide_judged.isChecked(),
            top=self.top.value(),
        )

    def set_cameras(self, cameras: Sequence[Camera]) -> None:
        """List these cameras; those that were left out stay so."""
        known = {
            self.cameras.item(number).data(_IdRole): self.cameras.item(number)
            for number in range(self.cameras.count())
        }
        if [(camera.id, camera.name) for camera in cameras] == [
            (identity, item.text()) for identity, item in known.items()
        ]:
            return
        left_out = {
            identity for identity, item in known.items() if item.checkState() != Qt.CheckState.Checked
        }
        self.cameras.blockSignals(True)
        self.cameras.clear()
        for camera in cameras:
            item = QListWidgetItem(camera.name)
            item.setData(_IdRole, camera.id)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(Qt.CheckState.Unchecked if camera.id in left_out else Qt.CheckState.Checked)
            self.cameras.addItem(item)
        self.cameras.blockSignals(False)
        line = self.cameras.sizeHintForRow(0)
        self.cameras.setFixedHeight(min(max(len(cameras), 1), _CAMERAS_SHOWN) * max(line, 1) + 4)

    def show_query(self, image: QImage, about: str) -> None:
        """Show whom is looked for."""
        self._picture.show_image(image)
        self._about.setText(about)

    def _connect(self) -> None:
        self.cameras.itemChanged.connect(lambda _: self._settle.start())
        self.hide_own.toggled.connect(lambda _: self._settle.start())
        self.hide_judged.toggled.connect(lambda _: self._settle.start())
        self.top.valueChanged.connect(lambda _: self._settle.start())
        self.minimum.valueChanged.connect(self._say_minimum)
        self.minimum.valueChanged.connect(lambda _: self._settle.start())

    def _say_minimum(self) -> None:
        value = self.minimum.value()
        self._minimum_text.setText(f"{value / 100:.2f}" if value else self.tr("any"))
