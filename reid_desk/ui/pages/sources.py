"""The tab of labelled sources: drop a folder, see what it was recognised as, add it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHeaderView,
    QListView,
    QMessageBox,
    QStackedWidget,
    QTableView,
    QWidget,
)

from reid_desk.jobs.sources import add_source
from reid_desk.site.records import Source
from reid_desk.ui.actions import Actions
from reid_desk.ui.background import Latest
from reid_desk.ui.desk import Desk
from reid_desk.ui.models.pictures import PicturesModel
from reid_desk.ui.models.sources import SourcesModel
from reid_desk.ui.pages.source_sheet import SourcePlan, SourceSheet, sample_files
from reid_desk.ui.widgets.buttons import ActionButton
from reid_desk.ui.widgets.empty_state import EmptyState
from reid_desk.ui.widgets.layout import UNIT, Card, column, holder
from reid_desk.ui.widgets.text import label
from training.datasets import Dataset, open_dataset

_SAMPLE_HEIGHT = 144


class Sources(QWidget):
    """The labelled data sets of the site, with samples and problems of the one selected.

    ``selection_changed`` is emitted when another one is selected.
    """

    selection_changed = Signal()

    def __init__(self, desk: Desk, actions: Actions) -> None:
        super().__init__()
        self._desk = desk
        self.model = SourcesModel()
        self._table = self._make_table()
        self._samples = PicturesModel(desk.background, _SAMPLE_HEIGHT)
        self._looking = Latest(desk.background)
        self._about = label(tone="muted", wrap=True)
        self._problems = label(wrap=True)
        empty = EmptyState(
            "labels",
            self.tr("No labelled source yet"),
            self.tr(
                "A source shows the desk what “the same person” means: images of people whose identity "
                "and camera are known. Drop a folder here: Market-1501, MSMT17, DukeMTMC-reID, CUHK03, "
                "or person/camera/*.jpg."
            ),
            ActionButton(actions["source.add"], icon="folder", kind="primary"),
        )
        details = Card(
            label(self.tr("Samples"), size="heading"), self._about, self._sample_sheet(), self._problems
        )
        inside = column(self._table, details, spacing=12)
        inside.setStretch(0, 1)
        filled = holder(inside)
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(filled)
        whole = column(self._stack)
        whole.setContentsMargins(0, 12, 0, 0)
        self.setLayout(whole)
        actions["source.add"].triggered.connect(self.choose_folder)
        actions["source.remove"].triggered.connect(self._ask_to_remove)
        desk.refreshed.connect(self.refresh)
        self._table.selectionModel().currentRowChanged.connect(lambda index: self._look_at(index.row()))
        self._table.selectionModel().selectionChanged.connect(self.selection_changed)
        self.refresh()

    @property
    def selected(self) -> Source | None:
        """The data set selected."""
        rows = self._table.selectionModel().selectedRows()
        return self.model.source_at(rows[0].row()) if rows else None

    def refresh(self) -> None:
        """Show what the site holds now."""
        sources = (*self._desk.summary.sources, *self._desk.summary.evaluation_sets)
        self.model.set_sources(sources)
        self._stack.setCurrentIndex(1 if sources else 0)
        if sources and not self._table.currentIndex().isValid():
            self._table.selectRow(0)

    def choose_folder(self) -> None:
        """Let the operator choose a folder."""
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Add a labelled source"))
        if chosen:
            self.take([Path(chosen)])

    def take(self, paths: Sequence[Path]) -> None:
        """Recognise the layout of each folder, then ask what it is for."""
        for path in paths:
            self._desk.ask(partial(open_dataset, path.resolve()), self._ask)

    def add(self, plan: SourcePlan) -> None:
        """Add a data set to the site, if it can serve its purpose."""
        site = self._desk.site
        self._desk.change(
            lambda: add_source(site, plan.dataset, name=plan.name, role=plan.role, replace=True)
        )

    def _ask_to_remove(self) -> None:
        source = self.selected
        if source is None:
            return
        box = QMessageBox(
            QMessageBox.Icon.Question,
            self.tr("Remove a source"),
            self.tr("Remove {name} from the site?").format(name=source.name),
            QMessageBox.StandardButton.Cancel,
            self,
        )
        box.setInformativeText(
            self.tr("Its images, and what was measured on it, stay. It can be added again.")
        )
        remove = box.addButton(self.tr("Remove"), QMessageBox.ButtonRole.DestructiveRole)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        site = self._desk.site
        box.buttonClicked.connect(
            lambda button: (
                self._desk.change(lambda: site.remove_source(source.name)) if button is remove else None
            )
        )
        box.open()

    def _ask(self, dataset: Dataset) -> None:
        summary = self._desk.summary
        taken = frozenset(source.name for source in (*summary.sources, *summary.evaluation_sets))
        sheet = SourceSheet(dataset, taken, self._desk.background, self)
        sheet.choose_role("evaluation" if summary.sources else "source")
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.planned.connect(self.add)
        sheet.open()

    def _look_at(self, number: int) -> None:
        if not 0 <= number < self.model.rowCount():
            return
        source = self.model.source_at(number)
        self._about.setText(source.path)
        self._problems.setText("")
        self._looking.run(
            lambda: open_dataset(Path(source.path)),
            self._show_samples,
            lambda error: self._show_fault(source, error),
        )

    def _show_samples(self, dataset: Dataset) -> None:
        self._samples.show_files(sample_files(dataset))
        self._problems.setText("\n".join(dataset.problems) or self.tr("No problems found."))

    def _show_fault(self, source: Source, error: Exception) -> None:
        self._samples.show_files([])
        self._problems.setText(self.tr("{name} cannot be read: {why}").format(name=source.name, why=error))

    def _make_table(self) -> QTableView:
        made = QTableView()
        made.setAccessibleName(self.tr("Labelled sources"))
        made.setModel(self.model)
        made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        made.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        made.setShowGrid(False)
        made.setTabKeyNavigation(False)
        made.setWordWrap(False)
        made.verticalHeader().hide()
        made.verticalHeader().setDefaultSectionSize(42)
        made.horizontalHeader().setHighlightSections(False)
        made.horizontalHeader().setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for section, width in zip(range(1, 6), (140, 210, 84, 92, 84), strict=True):
            made.setColumnWidth(section, width)
        made.setMinimumHeight(132)
        return made

    def _sample_sheet(self) -> QListView:
        view = QListView()
        view.setAccessibleName(self.tr("Sample images"))
        view.setProperty("role", "plain")
        view.setModel(self._samples)
        view.setViewMode(QListView.ViewMode.IconMode)
        view.setIconSize(QSize(_SAMPLE_HEIGHT // 2, _SAMPLE_HEIGHT))
        view.setGridSize(QSize(_SAMPLE_HEIGHT // 2 + UNIT, _SAMPLE_HEIGHT + UNIT))
        view.setUniformItemSizes(True)
        view.setResizeMode(QListView.ResizeMode.Adjust)
        view.setMovement(QListView.Movement.Static)
        view.setFixedHeight(_SAMPLE_HEIGHT + 3 * UNIT)
        return view
