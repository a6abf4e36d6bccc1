"""The Footage page: bring clips in, see what was found in them; labelled sources in the second tab."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QFileDialog,
    QHeaderView,
    QListView,
    QMessageBox,
    QStackedWidget,
    QTableView,
    QTabWidget,
)

from reid_desk.footage.clips import VIDEO_SUFFIXES, ClipSource, Refused, find_clips
from reid_desk.jobs.events import Event, Phase, Progress
from reid_desk.site.records import Clip
from reid_desk.ui import words
from reid_desk.ui.actions import Actions
from reid_desk.ui.desk import Desk
from reid_desk.ui.job_queue import Job
from reid_desk.ui.job_runner import JobOutcome
from reid_desk.ui.models.cameras import CameraRow, CamerasModel
from reid_desk.ui.models.clips import LENGTH, NAME, STATE, TRACKS, ClipsModel
from reid_desk.ui.pages.clip_sheet import ClipSheet, CorrectClips
from reid_desk.ui.pages.guide import Guide
from reid_desk.ui.pages.import_sheet import ImportPlan, ImportSheet, refusal_lines
from reid_desk.ui.pages.page import Page
from reid_desk.ui.pages.sources import Sources
from reid_desk.ui.widgets.buttons import ActionButton
from reid_desk.ui.widgets.camera_delegate import CameraDelegate
from reid_desk.ui.widgets.layout import UNIT, holder, row
from reid_desk.ui.widgets.state_delegate import StateDelegate

_CAMERAS_WIDTH = 216
_ROOM_FOR_ALL_COLUMNS = 720
_ROW_HEIGHT = 42


class FootagePage(Page):
    """Clips by camera, and labelled sources."""

    def __init__(self, desk: Desk, actions: Actions) -> None:
        super().__init__("footage", desk, actions)
        self.model = ClipsModel()
        self.cameras = CamerasModel()
        self._pictures: dict[str, int] = {}
        self._table = self._make_table()
        self._list = self._make_list()
        self.sources = Sources(desk, actions)
        self.guide = Guide(desk, actions)
        self.tabs = QTabWidget(documentMode=True)
        self.tabs.setAccessibleName(self.tr("Clips and labelled sources"))
        self.tabs.addTab(holder(self._clips_tab()), self.tr("Clips"))
        self.tabs.addTab(self.sources, self.tr("Labelled sources"))
        self._stack = QStackedWidget()
        self._stack.addWidget(self.guide)
        self._stack.addWidget(self.tabs)
        self.content.addWidget(self._stack, 1)
        self._add = ActionButton(actions["footage.add"], icon="add", kind="primary")
        self._add_folder = ActionButton(actions["footage.add_folder"], icon="folder")
        self._add_source = ActionButton(actions["source.add"], icon="add", kind="primary")
        self._remove_source = ActionButton(actions["source.remove"], icon="remove")
        self.buttons.addWidget(self._remove_source)
        self.buttons.addWidget(self._add_source)
        self.buttons.addWidget(self._add_folder)
        self.buttons.addWidget(self._add)
        self._connect()
        self.refresh()

    def take(self, paths: Sequence[Path]) -> None:
        """Look at files and folders that were dropped or chosen, then ask what to do with them."""
        if self.on_sources:
            self.sources.take(paths)
            return
        self.take_footage(paths)

    @property
    def on_sources(self) -> bool:
        """Whether the tab of labelled sources is shown."""
        return self._stack.currentWidget() is self.tabs and self.tabs.currentWidget() is self.sources

    @property
    def source_selected(self) -> bool:
        """Whether a labelled source is selected on the tab shown."""
        return self.on_sources and self.sources.selected is not None

    def show_clips(self) -> None:
        """Show the tab of clips."""
        self.tabs.setCurrentIndex(0)

    def take_footage(self, paths: Sequence[Path]) -> None:
        """Look at ``paths`` as footage."""
        self.desk.background.run(
            lambda: clips_apart([path.resolve() for path in paths]),
            lambda found: self._ask(*found),
        )

    def choose_files(self) -> None:
        """Let the operator choose video files."""
        patterns = " ".join(f"*{suffix}" for suffix in sorted(VIDEO_SUFFIXES))
        chosen, _ = QFileDialog.getOpenFileNames(
            self,
            self.tr("Add footage"),
            "",
            self.tr("Video files ({patterns});;All files (*)").format(patterns=patterns),
        )
        if chosen:
            self.take_footage([Path(name) for name in chosen])

    def choose_folder(self) -> None:
        """Let the operator choose a folder of footage."""
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Add a folder of footage"))
        if chosen:
            self.take_footage([Path(chosen)])

    def start_import(self, plan: ImportPlan) -> list[Job]:
        """Queue one import a camera, and show a line for each clip at once."""
        self.desk.preferences.set_text("detector", plan.detector)
        jobs = []
        for camera, paths in plan.cameras.items():
            self.model.add_waiting(dict.fromkeys(paths, camera))
            title = self.tr("Import of {clips} from {camera}").format(
                clips=words.clips(len(paths)), camera=camera
            )
            job = self.desk.start_job(
                "import", title, paths=[str(path) for path in paths], camera=camera, detector=plan.detector
            )
            follower = _Follower(self.model, paths)
            # Qt holds a method's object weakly, a function's closure strongly: this keeps the follower alive.
            job.told.connect(lambda event, follower=follower: follower.take(event))
            job.ended.connect(lambda outcome, paths=paths: self._import_ended(paths, outcome))
            jobs.append(job)
        self.refresh()
        return jobs

    def refresh(self) -> None:
        """Show what the site holds now."""
        summary = self.desk.summary
        self.model.set_clips(summary.clips)
        counts = {camera.name: [0, 0] for camera in summary.cameras}
        for clip in summary.clips:
            counts[clip.camera][0] += 1
            counts[clip.camera][1] += clip.crops
        self._fetch_pictures([name for name, (_, crops) in counts.items() if crops])
        selected = self.cameras.row_at(max(self._list.currentIndex().row(), 0)).name if self._filled else None
        self.cameras.set_rows(
            [
                CameraRow(name, clips, crops, self._pictures.get(name))
                for name, (clips, crops) in counts.items()
            ]
        )
        self._list.setCurrentIndex(self.cameras.index(self.cameras.row_of(selected)))
        empty = self.model.everything == 0 and not summary.clips
        self._stack.setCurrentWidget(self.guide if empty and not summary.sources else self.tabs)
        self._show_buttons()

    def _show_buttons(self) -> None:
        """Show the buttons of the tab, and say what can be dropped on it."""
        filled = self._stack.currentWidget() is self.tabs
        on_sources = self.on_sources
        for button in (self._add, self._add_folder):
            button.setVisible(filled and not on_sources)
        for button in (self._remove_source, self._add_source):
            button.setVisible(on_sources)
        if on_sources:
            text = self.tr("Drop a folder of labelled images anywhere on this page.")
        else:
            text = self.tr("Drop video files or folders anywhere on this page.")
        self.set_heading(self.tr("Footage"), text)

    def _show_tab(self) -> None:
        self.refresh()
        self.set_state(selection=self._clips_selected)
        self.state_changed.emit()

    @property
    def _clips_selected(self) -> bool:
        return not self.on_sources and self._table.selectionModel().hasSelection()

    @property
    def _filled(self) -> bool:
        return self.cameras.rowCount() > 0

    def _connect(self) -> None:
        self.desk.refreshed.connect(self.refresh)
        self.desk.thumbnails.changed.connect(self._list.viewport().update)
        self.tabs.currentChanged.connect(self._show_tab)
        self.sources.selection_changed.connect(self.state_changed)
        self.actions_["footage.add"].triggered.connect(self.choose_files)
        self.actions_["footage.add_folder"].triggered.connect(self.choose_folder)
        self.actions_["footage.remove"].triggered.connect(self._remove_selected)
        self.actions_["footage.correct"].triggered.connect(self.correct_selected)
        self._table.doubleClicked.connect(lambda _: self.actions_["footage.correct"].trigger())
        self._list.selectionModel().currentChanged.connect(
            lambda index: (
                self.model.show_camera(self.cameras.row_at(index.row()).name) if index.isValid() else None
            )
        )
        self._table.selectionModel().selectionChanged.connect(
            lambda: self.set_state(selection=self._clips_selected)
        )
        self.model.modelReset.connect(lambda: self.set_state(selection=False))

    def _clips_tab(self) -> Any:
        inside = row(self._list, self._table, spacing=2 * UNIT)
        inside.setContentsMargins(0, 12, 0, 0)
        return inside

    def _make_list(self) -> QListView:
        made = QListView()
        made.setAccessibleName(self.tr("Cameras"))
        made.setModel(self.cameras)
        self._camera_delegate = CameraDelegate(self.desk.appearance, self.desk.thumbnails)
        made.setItemDelegate(self._camera_delegate)
        made.setUniformItemSizes(True)
        made.setMouseTracking(True)
        made.setFixedWidth(_CAMERAS_WIDTH)
        return made

    def _make_table(self) -> QTableView:
        made = _ClipsTable()
        made.setAccessibleName(self.tr("Clips"))
        made.setModel(self.model)
        self._state_delegate = StateDelegate(self.desk.appearance)
        made.setItemDelegateForColumn(STATE, self._state_delegate)
        made.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        made.setShowGrid(False)
        made.setTabKeyNavigation(False)
        made.setWordWrap(False)
        made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAsNeeded)
        made.verticalHeader().hide()
        made.verticalHeader().setDefaultSectionSize(_ROW_HEIGHT)
        header = made.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionResizeMode(NAME, QHeaderView.ResizeMode.Stretch)
        for column, width in zip(range(1, STATE + 1), (116, 152, 74, 74, 70, 140), strict=True):
            made.setColumnWidth(column, width)
        made.setContextMenuPolicy(Qt.ContextMenuPolicy.ActionsContextMenu)
        made.addActions([self.actions_["footage.correct"], self.actions_["footage.remove"]])
        return made

    def _ask(self, clips: Sequence[ClipSource], refused: Sequence[Refused]) -> None:
        if not clips:
            self.desk.problem.emit(
                self.tr("Nothing to import: {reason}").format(
                    reason=refusal_lines(refused[:1]) if refused else self.tr("no footage there.")
                ),
                "warning",
                refusal_lines(refused) if len(refused) > 1 else "",
            )
            return
        known = [camera.name for camera in self.desk.summary.cameras]
        sheet = ImportSheet(clips, refused, known, self)
        sheet.choose_detector(self.desk.preferences.text("detector", "motion"))
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.planned.connect(self.start_import)
        sheet.open()

    def _import_ended(self, paths: Sequence[Path], outcome: JobOutcome) -> None:
        if outcome.state == "finished":
            refused = {Path(one["path"]): one["reason"] for one in outcome.result.get("refused", [])}
            clips = outcome.result.get("clips", [])
            imported = {Path(one["path"]) for one in clips if one["state"] == "imported"}
            self.model.drop_waiting([path for path in paths if path not in refused.keys() | imported])
            for path in imported:  # its line stays until the site, read again, has one in its place
                self.model.update_waiting(path, state="imported", progress=None)
            for path, reason in refused.items():
                self.model.update_waiting(path, state="failed", message=reason, progress=None)
            skipped = [Path(one["path"]).name for one in clips if one["state"] == "skipped"]
            if skipped:
                self.desk.problem.emit(
                    self.tr("In the site already: {clips}").format(clips=", ".join(skipped)), "info", ""
                )
            if refused:
                lines = "\n".join(f"{path.name}: {reason}" for path, reason in refused.items())
                self.desk.problem.emit(words.left_out(len(refused)), "warning", lines)
            return
        for path in paths:
            self.model.update_waiting(path, state=outcome.state, message=outcome.message, progress=None)

    def correct_selected(self) -> None:
        """Ask for the right camera, and start, of the selected clips."""
        rows = [self.model.row_at(index.row()) for index in self._table.selectionModel().selectedRows()]
        ids = {row.clip_id for row in rows if row.clip_id is not None}
        clips = [clip for clip in self.desk.summary.clips if clip.id in ids and clip.state == "imported"]
        if not clips:
            return
        known = [camera.name for camera in self.desk.summary.cameras]
        sheet = ClipSheet(clips, known, self)
        sheet.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        sheet.corrected.connect(lambda: self._correct(sheet.changes()))
        sheet.open()

    def _correct(self, changes: Sequence[tuple[Clip, str, float]]) -> None:
        if changes:
            text = self.tr("correct {clips}").format(clips=words.clips(len(changes)))
            self.desk.undo.push(CorrectClips(self.desk, text, changes))

    def _remove_selected(self) -> None:
        rows = [self.model.row_at(index.row()) for index in self._table.selectionModel().selectedRows()]
        self.model.drop_waiting([row.path for row in rows if row.clip_id is None])
        stored = [row.clip_id for row in rows if row.clip_id is not None]
        if not stored:
            return
        box = QMessageBox(
            QMessageBox.Icon.Question,
            self.tr("Remove clips"),
            self.tr("Remove {clips} and their crops from the site?").format(clips=words.clips(len(stored))),
            QMessageBox.StandardButton.Cancel,
            self,
        )
        box.setInformativeText(self.tr("The original files are not touched. They can be imported again."))
        remove = box.addButton(self.tr("Remove"), QMessageBox.ButtonRole.DestructiveRole)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.buttonClicked.connect(lambda button: self._remove(stored) if button is remove else None)
        box.open()

    def _remove(self, clip_ids: Sequence[int]) -> None:
        site = self.desk.site

        def remove() -> None:
            for clip_id in clip_ids:
                site.remove_clip(clip_id)

        self._table.selectionModel().clear()
        self.desk.change(remove)

    def _fetch_pictures(self, names: Sequence[str]) -> None:
        missing = [name for name in names if name not in self._pictures]
        if not missing:
            return
        site = self.desk.site

        def fetch() -> dict[str, int]:
            found = {name: site.crops(cameras=[name], limit=1) for name in missing}
            return {name: crops[0].id for name, crops in found.items() if crops}

        def take(found: dict[str, int]) -> None:
            self._pictures.update(found)
            if found:
                self.refresh()

        self.desk.background.run(fetch, take)


class _ClipsTable(QTableView):
    """Leaves out the less important columns where there is no room for all."""

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802 - Qt's name
        for column in (LENGTH, TRACKS):
            self.setColumnHidden(column, self.width() < _ROOM_FOR_ALL_COLUMNS)
        super().resizeEvent(event)


class _Follower:
    """Turns the events of one import into the states of its clips' lines."""

    def __init__(self, model: ClipsModel, paths: Sequence[Path]) -> None:
        self._model = model
        self._paths = paths
        self._number = -1

    def take(self, event: Event) -> None:
        if isinstance(event, Phase):
            self._leave()
            if event.name == "import":
                self._number += 1
                self._change(state="importing", progress=0.0)
        elif isinstance(event, Progress) and event.total:
            self._change(progress=min(event.done / event.total, 1.0))

    def _leave(self) -> None:
        self._change(progress=None)

    def _change(self, **changes: Any) -> None:
        if 0 <= self._number < len(self._paths):
            self._model.update_waiting(self._paths[self._number], **changes)


def clips_apart(paths: Sequence[Path]) -> tuple[list[ClipSource], list[Refused]]:
    """The clips behind ``paths``, none inside another, and what was left out.

    An import of a folder of frames also imports what its folders hold, under the same camera: where these are clips
    of their own, the frames beside them are left out, with the remedy.
    """
    clips, refused = find_clips(paths)
    around = {folder for clip in clips for folder in clip.path.parents}
    reason = QCoreApplication.translate(
        "footage",
        "these frames lie beside folders that are clips of their own. Move them into a folder of their own.",
    )
    refused += [Refused(clip.path, reason) for clip in clips if clip.path in around]
    return [clip for clip in clips if clip.path not in around], refused
