"""The Dashboard: how well the site's models rank, before and after adaptation."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QAbstractItemView, QFileDialog, QHeaderView, QStackedWidget, QTableView

from reid_desk.site.records import Evaluation
from reid_desk.ui import words
from reid_desk.ui.actions import Actions
from reid_desk.ui.desk import Desk
from reid_desk.ui.job_queue import Job
from reid_desk.ui.models.measurements import MeasurementsModel, as_csv, label_words
from reid_desk.ui.pages.page import Page
from reid_desk.ui.widgets.buttons import ActionButton
from reid_desk.ui.widgets.empty_state import EmptyState
from reid_desk.ui.widgets.layout import UNIT, Card, column, holder, row
from reid_desk.ui.widgets.legend import Legend
from reid_desk.ui.widgets.plots import Plot
from reid_desk.ui.widgets.text import label

_FEW_QUERIES = 30
_MOST_CURVES = 4


class DashboardPage(Page):
    """CMC curves above, figures below."""

    def __init__(self, desk: Desk, actions: Actions) -> None:
        super().__init__("dashboard", desk, actions)
        self.set_heading(
            self.tr("Dashboard"),
            self.tr("How often the right person is among the first answers."),
        )
        self.model = MeasurementsModel()
        self._table = self._make_table()
        self.plot = Plot(
            self.tr("CMC curve"),
            desk.appearance,
            height=140,
            left=self.tr("right person found (%)"),
            bottom=self.tr("among the first … answers"),
        )
        self._legend = Legend(desk.appearance)
        self._note = label(tone="muted", wrap=True)
        self._empty = EmptyState(
            "dashboard",
            self.tr("Nothing measured yet"),
            "",
            ActionButton(actions["dashboard.evaluate"], icon="dashboard", kind="primary", hides=True),
            ActionButton(actions["source.add"], icon="labels"),
        )
        self._chart = Card(label(self.tr("CMC curve"), size="heading"), self._note, self.plot, self._legend)
        self._chart.body.setStretch(2, 1)
        filled = column(self._chart, self._table, spacing=2 * UNIT)
        filled.setStretch(0, 3)
        filled.setStretch(1, 2)
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(holder(filled))
        self.content.addWidget(self._stack)
        self._exports = holder(
            row(
                ActionButton(actions["dashboard.export_png"], icon="export", text=self.tr("PNG…")),
                ActionButton(actions["dashboard.export_csv"], icon="export", text=self.tr("CSV…")),
                ActionButton(actions["dashboard.evaluate"], icon="dashboard", kind="primary"),
            )
        )
        self.buttons.addWidget(self._exports)
        self._table.selectionModel().selectionChanged.connect(self._plot_curves)
        desk.refreshed.connect(self.refresh)
        actions["dashboard.evaluate"].triggered.connect(lambda _=False: self.evaluate())
        actions["dashboard.evaluate_with"].triggered.connect(self._choose_data)
        actions["dashboard.export_png"].triggered.connect(self._choose_png)
        actions["dashboard.export_csv"].triggered.connect(self._choose_csv)
        self.refresh()

    def evaluate(self, data: Path | None = None) -> Job:
        """Measure the model in use on ``data``, or on the site's own labelled set."""
        arguments = {} if data is None else {"data": str(data)}
        return self.desk.start_job("evaluate", self.tr("Evaluate the model"), **arguments)

    def export_png(self, path: Path) -> bool:
        """Write the curve as a picture; return whether that worked."""
        self.plot.draw_now()
        return self._chart.grab().save(str(path), "PNG")

    def export_csv(self, path: Path) -> None:
        """Write all figures as a table."""
        names = {model.id: model.name for model in self.desk.summary.models}
        path.write_text(as_csv(self.desk.summary.evaluations, names), encoding="utf-8")

    def refresh(self) -> None:
        """Show what the site holds now."""
        summary = self.desk.summary
        self.model.set_rows(summary.evaluations, {model.id: model.name for model in summary.models})
        filled = bool(summary.evaluations)
        self._stack.setCurrentIndex(1 if filled else 0)
        self._exports.setVisible(filled)
        self._empty.say(self.tr("Nothing measured yet"), self._what_to_do())
        self._plot_curves()

    def _what_to_do(self) -> str:
        summary = self.desk.summary
        if summary.evaluation_set is None:
            return self.tr(
                "Add a labelled source “to measure with”: images of people whose identity and camera "
                "are known. The next adaptation then shows what it gained."
            )
        if summary.current_model is None:
            return self.tr("Adapt to the site first. The figures before and after appear here.")
        return self.tr("The model in use has not been measured. Evaluate it on {name}.").format(
            name=summary.evaluation_set.name
        )

    def _chosen(self) -> Sequence[Evaluation]:
        """The measurements whose curves are shown: those selected, else the newest before and after."""
        rows = [index.row() for index in self._table.selectionModel().selectedRows()]
        if rows:
            return [self.model.at(number) for number in sorted(rows)][:_MOST_CURVES]
        everything = [self.model.at(number) for number in range(self.model.rowCount())]
        newest = [
            next((one for one in everything if one.label == wanted), None) for wanted in ("after", "before")
        ]
        return [one for one in newest if one is not None] or everything[:1]

    def _plot_curves(self) -> None:
        chosen = self._chosen()
        names = {model.id: model.name for model in self.desk.summary.models}
        lines, values = {}, {}
        for one in chosen:
            cmc = [100 * float(share) for share in one.metrics.get("cmc") or ()]
            name = f"{names.get(one.model_id, one.model_id)}, {label_words(one.label)}"
            if name in lines:
                name = f"{name}, {words.local_minute(one.created_at)}"
            lines[name] = ([float(rank) for rank in range(1, len(cmc) + 1)], cmc)
            values[name] = self.tr("(rank-1 {share})").format(
                share=words.percent(float(one.metrics["rank1"]))
            )
        self.plot.show_lines(lines)
        self._legend.show_values(values)
        fewest = min((int(one.metrics.get("queries") or 0) for one in chosen), default=0)
        note = self.tr("Rests on {queries}.").format(queries=words.queries(fewest))
        if fewest < _FEW_QUERIES:
            note += " " + self.tr("That is few: take the curve as a hint, not as a measurement.")
        self._note.setText(note)

    def _make_table(self) -> QTableView:
        made = QTableView()
        made.setAccessibleName(self.tr("Measurements"))
        made.setModel(self.model)
        made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        made.setShowGrid(False)
        made.setTabKeyNavigation(False)
        made.setWordWrap(False)
        made.verticalHeader().hide()
        made.verticalHeader().setDefaultSectionSize(42)
        made.setMinimumHeight(110)
        header = made.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for section, width in zip(range(1, 8), (144, 124, 76, 76, 76, 82, 84), strict=True):
            made.setColumnWidth(section, width)
        return made

    def _choose_data(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Labelled images to measure on"))
        if chosen:
            self.evaluate(Path(chosen))

    def _choose_png(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(self, self.tr("Export the curve"), "cmc.png", "PNG (*.png)")
        if chosen and not self.export_png(Path(chosen)):
            self.desk.problem.emit(
                self.tr("{path} could not be written. Choose another folder.").format(path=chosen),
                "warning",
                "",
            )

    def _choose_csv(self) -> None:
        chosen, _ = QFileDialog.getSaveFileName(
            self, self.tr("Export the figures"), "figures.csv", "CSV (*.csv)"
        )
        if chosen:
            self.desk.ask(lambda: self.export_csv(Path(chosen)), lambda _: None)
