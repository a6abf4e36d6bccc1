"""The upper half of the Adapt page: what to learn from, how, what is missing, and the big button."""

from __future__ import annotations

import shutil
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QGridLayout, QWidget

from reid_desk.jobs.room import room_needed
from reid_desk.ui import words
from reid_desk.ui.actions import Actions
from reid_desk.ui.desk import Desk, Summary
from reid_desk.ui.widgets.buttons import ActionButton
from reid_desk.ui.widgets.icon_label import IconLabel
from reid_desk.ui.widgets.layout import UNIT, Card, column, row
from reid_desk.ui.widgets.state_label import tone_colour
from reid_desk.ui.widgets.text import Tone, label, set_tone
from training.presets import NAMES

FEWEST_CROPS = 200


@dataclass(frozen=True)
class Readiness:
    """One thing that an adaptation needs: ``level`` is ``good``, ``warning`` (not needed) or ``bad``."""

    level: Tone
    text: str


class AdaptSetup(Card):
    """Choices on the left, readiness on the right, the button below."""

    def __init__(self, desk: Desk, actions: Actions) -> None:
        super().__init__(margin=20)
        self._desk = desk
        self.source = QComboBox()
        self.source.setAccessibleName(self.tr("Labelled source to learn from"))
        self.preset = QComboBox()
        self.preset.setAccessibleName(self.tr("Preset"))
        for name, title in zip(
            NAMES,
            (
                self.tr("Paper: full strength"),
                self.tr("Compact: for a desk computer"),
                self.tr("Smoke: a quick trial"),
            ),
            strict=True,
        ):
            self.preset.addItem(title, name)
        stored = desk.preferences.text("preset", "compact")
        self.preset.setCurrentIndex(max(self.preset.findData(stored), 0))
        self._about_preset = label(tone="muted", wrap=True)
        self._promise = label(tone="muted", wrap=True)
        self._list = QGridLayout()
        self._list.setHorizontalSpacing(UNIT)
        self._list.setVerticalSpacing(6)
        self._list.setColumnStretch(1, 1)
        left = column(
            label(self.tr("Learn from")),
            self.source,
            4,
            label(self.tr("Preset")),
            self.preset,
            self._about_preset,
            None,
        )
        right = column(label(self.tr("Ready?"), size="heading"), self._list, None)
        choices = row(left, right, spacing=4 * UNIT)
        choices.setStretch(0, 1)
        choices.setStretch(1, 1)
        start = ActionButton(actions["adapt.start"], icon="adapt", kind="primary", big=True)
        resume = ActionButton(actions["adapt.resume"], icon="resume", hides=True, big=True)
        bottom = row(start, resume, 8, self._promise)
        bottom.setStretch(3, 1)
        self.body.addLayout(choices)
        self.body.addSpacing(UNIT)
        self.body.addLayout(bottom)
        self.preset.currentIndexChanged.connect(lambda _: self.refresh())
        self.source.currentIndexChanged.connect(lambda _: self.refresh())
        desk.appearance.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what the site holds now."""
        summary = self._desk.summary
        names = [source.name for source in summary.sources]
        if names != [self.source.itemText(number) for number in range(self.source.count())]:
            chosen = self.source.currentText()
            self.source.blockSignals(True)
            self.source.clear()
            self.source.addItems(names)
            self.source.setCurrentIndex(max(self.source.findText(chosen), 0) if names else -1)
            self.source.blockSignals(False)
        self.source.setEnabled(bool(names))
        self.source.setPlaceholderText(self.tr("No labelled source yet"))
        self._about_preset.setText(self._preset_words(self.preset.currentData()))
        self._show_readiness(self.readiness(summary))
        self._promise.setText(self._time_words(summary))

    def readiness(self, summary: Summary) -> list[Readiness]:
        """Return what is there and what is missing, in words."""
        return [self._crops(summary), self._source(summary), self._measure(summary), self._disk(summary)]

    def _crops(self, summary: Summary) -> Readiness:
        if not summary.crops:
            return Readiness("bad", self.tr("No crops yet. Add footage on the page Footage."))
        text = self.tr("{crops} from {cameras} to adapt to").format(
            crops=words.crops(summary.crops), cameras=words.cameras(len(summary.cameras))
        )
        if summary.crops < FEWEST_CROPS:
            return Readiness(
                "warning", self.tr("Only {what}. More footage makes a better model.").format(what=text)
            )
        return Readiness("good", text)

    def _source(self, summary: Summary) -> Readiness:
        chosen = next(
            (source for source in summary.sources if source.name == self.source.currentText()), None
        )
        if chosen is None:
            return Readiness(
                "bad", self.tr("No labelled source yet. Add one on the page Footage, second tab.")
            )
        return Readiness(
            "good",
            self.tr("{name}: {people} in {images} to learn from").format(
                name=chosen.name, people=words.people(chosen.identities), images=words.images(chosen.images)
            ),
        )

    def _measure(self, summary: Summary) -> Readiness:
        if summary.evaluation_set is None:
            return Readiness(
                "warning",
                self.tr(
                    "No labelled set to measure with: the gain will not be known. Adapting works without."
                ),
            )
        return Readiness("good", self.tr("{name} measures the gain").format(name=summary.evaluation_set.name))

    def _disk(self, summary: Summary) -> Readiness:
        free = shutil.disk_usage(self._desk.site.path).free
        text = self.tr("{free:.0f} GB free on the disk").format(free=free / 1024**3)
        images = max((source.images for source in summary.sources), default=0)
        needed = room_needed(self.preset.currentData(), crops=summary.crops, source_images=images)
        if free < needed:
            told = self.tr("{what}. A run needs about {needed:.1f} GB.")
            return Readiness("bad", told.format(what=text, needed=needed / 1024**3))
        return Readiness("good", text)

    def _show_readiness(self, items: list[Readiness]) -> None:
        icons = {"good": "done", "warning": "warning", "bad": "error"}
        tones = self._desk.appearance.tones
        for number, item in enumerate(items):
            if self._list.itemAtPosition(number, 0) is None:
                self._list.addWidget(IconLabel("done", 18), number, 0, Qt.AlignmentFlag.AlignTop)
                self._list.addWidget(label(wrap=True), number, 1)
            icon, text = (_widget(self._list, number, place) for place in (0, 1))
            assert isinstance(icon, IconLabel)
            icon.show_icon(icons[item.level], colour=tone_colour(tones, item.level))
            text.setText(item.text)  # type: ignore[attr-defined]
            set_tone(text, "bad" if item.level == "bad" else "plain")  # type: ignore[arg-type]

    def _preset_words(self, preset: str) -> str:
        return {
            "paper": self.tr(
                "The networks and the length of training of the method's paper. Needs a graphics card; hours."
            ),
            "compact": self.tr("Smaller images and a mobile network. About an hour without a graphics card."),
            "smoke": self.tr(
                "A few minutes, to see that everything works. The model is not meant for real searches."
            ),
        }[preset]

    def _time_words(self, summary: Summary) -> str:
        preset = self.preset.currentData()
        for run in sorted(summary.adaptations, key=lambda run: -run.started_at):
            same = run.spec.get("arguments", {}).get("preset") == preset
            if run.state == "finished" and run.finished_at and same:
                return self.tr("The last run with this preset took {time} on this machine.").format(
                    time=words.spent(run.finished_at - run.started_at)
                )
        return self.tr("The old model goes on answering while the new one learns.")


def _widget(grid: QGridLayout, row_number: int, column_number: int) -> QWidget:
    item = grid.itemAtPosition(row_number, column_number)
    assert item is not None
    found = item.widget()
    assert found is not None
    return found
