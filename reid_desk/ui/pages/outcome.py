"""What an adaptation brought: before against after, and which model to use."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel

from reid_desk.site.records import Evaluation, Model
from reid_desk.ui import words
from reid_desk.ui.actions import Actions
from reid_desk.ui.desk import Summary
from reid_desk.ui.widgets.buttons import ActionButton
from reid_desk.ui.widgets.layout import UNIT, Card, row
from reid_desk.ui.widgets.text import label

FIGURES = ("mAP", "rank1", "rank5", "rank10")


@dataclass(frozen=True)
class Choice:
    """The newest adapted model, the one that was there before it, and how each measures up.

    ``old`` is ``None`` for the first model of a site; the measurements are ``None`` where nothing could be
    measured.
    """

    new: Model
    old: Model | None
    before: Evaluation | None
    after: Evaluation | None

    @classmethod
    def of(cls, summary: Summary) -> Choice | None:
        """Return the choice that the site offers, if it has an adapted model."""
        adapted = [model for model in summary.models if model.run_id]
        if not adapted:
            return None
        new = max(adapted, key=lambda model: model.created_at)
        earlier = [
            model for model in summary.models if model.created_at < new.created_at and model.id != new.id
        ]
        old = max(earlier, key=lambda model: model.created_at, default=None)
        return cls(new, old, _measured(summary, new, "before"), _measured(summary, new, "after"))


def _measured(summary: Summary, model: Model, label_: str) -> Evaluation | None:
    found = [one for one in summary.evaluations if one.model_id == model.id and one.label == label_]
    return found[-1] if found else None


class Outcome(Card):
    """Shows a :class:`Choice`."""

    def __init__(self, actions: Actions) -> None:
        super().__init__(margin=20)
        self.setAccessibleName(self.tr("Outcome"))
        self._title = label(size="heading")
        self._verdict = label(wrap=True)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(4 * UNIT)
        self._grid.setVerticalSpacing(2)
        self._cells: dict[tuple[int, int], QLabel] = {}
        for column_number, name in enumerate(("mAP", "Rank-1", "Rank-5", "Rank-10"), 1):
            self._cell(0, column_number, "muted").setText(name)
        self._cell(1, 0, "muted").setText(self.tr("Before"))
        self._cell(2, 0, "muted").setText(self.tr("After"))
        for line in (1, 2):
            for column_number in range(1, 5):
                cell = self._cell(line, column_number, "plain")
                font = cell.font()
                font.setPointSizeF(font.pointSizeF() * (1.35 if line == 2 else 1.1))
                cell.setFont(font)
        self._grid.setColumnStretch(5, 1)
        use = ActionButton(actions["adapt.use_new"], icon="check", kind="primary", hides=True)
        keep = ActionButton(actions["adapt.keep_old"], icon="back", hides=True)
        self.body.addWidget(self._title)
        self.body.addWidget(self._verdict)
        self.body.addLayout(self._grid)
        self.body.addLayout(row(use, keep, None))

    def show_choice(self, choice: Choice, current: Model | None) -> None:
        """Show the figures, and which model is in use."""
        used = current is not None and current.id == choice.new.id
        self._title.setText(choice.new.name)
        measured = choice.before is not None and choice.after is not None
        self._verdict.setText(" ".join((self._gain(choice), self._use(choice, used=used))))
        for (line, column_number), cell in self._cells.items():
            cell.setVisible(measured)
            evaluation = {1: choice.before, 2: choice.after}.get(line)
            if evaluation is not None and column_number:
                cell.setText(words.percent(float(evaluation.metrics[FIGURES[column_number - 1]])))

    def _gain(self, choice: Choice) -> str:
        if choice.before is None or choice.after is None:
            return self.tr("Its gain was not measured: the site has no labelled set to measure with.")
        gain = float(choice.after.metrics["mAP"]) - float(choice.before.metrics["mAP"])
        text = (
            self.tr("Measured on {data}: mAP rose by {gain} points.")
            if gain >= 0
            else self.tr("Measured on {data}: mAP fell by {gain} points. The old model may serve better.")
        )
        return text.format(data=choice.after.dataset, gain=f"{abs(gain) * 100:.1f}")

    def _use(self, choice: Choice, *, used: bool) -> str:
        if used:
            return self.tr("The site is searched with it.")
        return self.tr("The site is searched with another model.")

    def _cell(self, line: int, column_number: int, tone: str) -> QLabel:
        cell = label(tone="muted" if tone == "muted" else "plain")
        alignment = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBaseline
        self._grid.addWidget(cell, line, column_number, alignment)
        self._cells[line, column_number] = cell
        return cell
