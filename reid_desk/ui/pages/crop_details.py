"""The right side of the Search page: one crop large, with its clip, time and place."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFormLayout, QLabel, QWidget

from reid_desk.site.records import Clip, Crop
from reid_desk.ui import words
from reid_desk.ui.actions import Actions
from reid_desk.ui.background import Latest
from reid_desk.ui.desk import Desk
from reid_desk.ui.widgets.buttons import ActionButton
from reid_desk.ui.widgets.layout import Card, column
from reid_desk.ui.widgets.picture import Picture
from reid_desk.ui.widgets.text import ElidedLabel, label

WIDTH = 248


class CropDetails(QWidget):
    """Shows one crop at a time; its picture is read in the background."""

    def __init__(self, desk: Desk, actions: Actions) -> None:
        super().__init__()
        self.setFixedWidth(WIDTH)
        self._desk = desk
        self._reading = Latest(desk.background)
        self._picture = Picture(self.tr("The crop, large"), minimum=QSize(120, 180))
        self._form = QFormLayout()
        self._form.setContentsMargins(0, 0, 0, 0)
        self._form.setHorizontalSpacing(10)
        self._form.setVerticalSpacing(6)
        self._likeness = self._add(self.tr("Likeness"))
        self._camera = self._add(self.tr("Camera"))
        self._time = self._add(self.tr("Time"))
        self._clip = self._add(self.tr("Clip"))
        self._offset = self._add(self.tr("Offset"))
        self._place = self._add(self.tr("Place"))
        self._track = self._add(self.tr("Track"))
        search = ActionButton(actions["search.this"], icon="search", kind="primary")
        card = Card(label(self.tr("Details"), size="heading"), self._picture, 4, self._form, 4, search)
        card.body.setStretch(1, 1)
        self.setLayout(column(card))

    def show_crop(self, crop: Crop | None, score: float | None = None) -> None:
        """Show ``crop``; ``score`` is its likeness to the query, if there is one."""
        self._form.setRowVisible(self._likeness, score is not None)
        if crop is None:
            self._picture.show_image(QImage())
            for value in (self._camera, self._time, self._clip, self._offset, self._place, self._track):
                value.set_whole_text(words.NOTHING)
            return
        if score is not None:
            self._likeness.set_whole_text(f"{score:.3f}, {words.band_word(score)}")
        self._say(crop, self._clip_of(crop))
        site = self._desk.site
        self._reading.run(
            lambda: QImage.fromData(site.crop_image(crop.id)),
            self._picture.show_image,
            lambda _error: self._picture.show_image(QImage()),
        )

    def _clip_of(self, crop: Crop) -> Clip | None:
        return next((clip for clip in self._desk.summary.clips if clip.id == crop.clip_id), None)

    def _say(self, crop: Crop, clip: Clip | None) -> None:
        self._camera.set_whole_text(clip.camera if clip else words.NOTHING)
        self._time.set_whole_text(words.local_time(crop.time))
        self._clip.set_whole_text(Path(clip.path).name if clip else words.NOTHING)
        self._clip.setToolTip(clip.path if clip else "")
        if clip:
            self._offset.set_whole_text(
                self.tr("{offset}, frame {frame}").format(
                    offset=words.duration(crop.time - clip.started_at), frame=words.number(crop.frame)
                )
            )
        self._place.set_whole_text(
            self.tr("{width} by {height} at {left}, {top}").format(
                width=round(crop.width), height=round(crop.height), left=round(crop.left), top=round(crop.top)
            )
        )
        self._track.set_whole_text(str(crop.track_id))

    def _add(self, name: str) -> ElidedLabel:
        value = ElidedLabel(words.NOTHING)
        heading: QLabel = label(name, tone="muted")
        self._form.addRow(heading, value)
        return value
