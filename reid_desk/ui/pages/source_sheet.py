"""The sheet that shows what a folder was recognised as before it becomes a labelled source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import (
    QDialog,
    QFormLayout,
    QLineEdit,
    QListView,
    QPlainTextEdit,
    QRadioButton,
    QWidget,
)

from reid_desk.ui import words
from reid_desk.ui.background import Background
from reid_desk.ui.models.pictures import PicturesModel
from reid_desk.ui.widgets.buttons import Button
from reid_desk.ui.widgets.layout import UNIT, column, row
from reid_desk.ui.widgets.text import label
from training.datasets import Dataset

SAMPLES = 24
_SAMPLE_HEIGHT = 128


@dataclass(frozen=True)
class SourcePlan:
    """What the operator decided: the data set, its name in the site, and what it is for."""

    dataset: Dataset
    name: str
    role: str


def sample_files(dataset: Dataset, count: int = SAMPLES) -> list[Path]:
    """Return ``count`` images spread evenly over the data set."""
    images = dataset.images or dataset.gallery or dataset.query or ()
    step = max(len(images) / count, 1.0)
    return [images[int(number * step)].path for number in range(min(count, len(images)))]


class SourceSheet(QDialog):
    """Shows layout, counts, sample images and problems.

    ``planned`` carries the :class:`SourcePlan` once the operator agrees.
    """

    planned = Signal(object)

    def __init__(
        self, dataset: Dataset, taken: frozenset[str], background: Background, parent: QWidget
    ) -> None:
        super().__init__(parent)
        self.setWindowTitle(self.tr("Add a labelled source"))
        self.setMinimumSize(720, 480)
        self._dataset = dataset
        self._taken = taken
        self.name = QLineEdit(dataset.name)
        self.name.setAccessibleName(self.tr("Name of the source"))
        self._clash = label(tone="warning", size="small")
        self._source = QRadioButton(self.tr("To learn from: adaptation starts with these people"))
        self._evaluation = QRadioButton(self.tr("To measure with: models are evaluated on these people"))
        self._source.setChecked(True)
        self._samples = PicturesModel(background, _SAMPLE_HEIGHT)
        self._samples.show_files(sample_files(dataset))
        self._add = Button(self.tr("Add this source"), kind="primary", icon="add")
        self._add.clicked.connect(self._agree)
        cancel = Button(self.tr("Cancel"))
        cancel.clicked.connect(self.reject)
        cancel.setAutoDefault(False)
        form = QFormLayout()
        form.setHorizontalSpacing(2 * UNIT)
        form.addRow(self.tr("Name"), column(self.name, self._clash, spacing=2))
        form.addRow(self.tr("Used"), column(self._source, self._evaluation))
        whole = column(
            label(self.tr("Recognised: {layout}").format(layout=dataset.layout), size="heading"),
            label(dataset_counts(dataset), tone="muted"),
            self._sample_sheet(),
            form,
            margin=3 * UNIT,
            spacing=12,
        )
        if dataset.problems:
            whole.addWidget(label(words.problems(len(dataset.problems)), tone="warning"))
            whole.addWidget(self._problems())
        whole.addLayout(row(None, cancel, self._add))
        self.setLayout(whole)
        self.name.textChanged.connect(self._check_name)
        self._check_name()

    def plan(self) -> SourcePlan:
        """Return what the sheet says now."""
        role = "evaluation" if self._evaluation.isChecked() else "source"
        return SourcePlan(self._dataset, self.name.text().strip(), role)

    def choose_role(self, role: str) -> None:
        """Preselect what the data set is for."""
        (self._evaluation if role == "evaluation" else self._source).setChecked(True)

    def _sample_sheet(self) -> QListView:
        view = QListView()
        view.setAccessibleName(self.tr("Sample images"))
        view.setModel(self._samples)
        view.setViewMode(QListView.ViewMode.IconMode)
        view.setIconSize(QSize(_SAMPLE_HEIGHT // 2, _SAMPLE_HEIGHT))
        view.setGridSize(QSize(_SAMPLE_HEIGHT // 2 + UNIT, _SAMPLE_HEIGHT + UNIT))
        view.setUniformItemSizes(True)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setMovement(QListView.Movement.Static)
        view.setMinimumHeight(_SAMPLE_HEIGHT + 3 * UNIT)
        return view

    def _problems(self) -> QPlainTextEdit:
        shown = QPlainTextEdit("\n".join(self._dataset.problems), readOnly=True)
        shown.setAccessibleName(self.tr("Problems of the data set"))
        shown.setTabChangesFocus(True)
        shown.setMaximumHeight(80)
        return shown

    def _check_name(self) -> None:
        name = self.name.text().strip()
        clash = name in self._taken
        self._clash.setText(
            self.tr("The site has a source of this name; it will be replaced.") if clash else ""
        )
        self._clash.setVisible(clash)
        self._add.setEnabled(bool(name))

    def _agree(self) -> None:
        self.planned.emit(self.plan())
        self.accept()


def dataset_counts(dataset: Dataset) -> str:
    """Return people, cameras and images in words."""
    return ", ".join(
        (words.people(dataset.identities), words.cameras(dataset.cameras), words.images(len(dataset.images)))
    )
