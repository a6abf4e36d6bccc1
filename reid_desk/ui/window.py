"""The window of the desk: rail, pages, menus, status bar, and the line for messages."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QActionGroup, QCloseEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QMainWindow, QMessageBox, QStackedWidget

from reid_desk.search.runtime import cuda_works
from reid_desk.ui import help as help_pages
from reid_desk.ui.actions import MENUS, PAGES, Actions, DeskState, words
from reid_desk.ui.appearance import Scheme
from reid_desk.ui.background import Background
from reid_desk.ui.desk import Desk, changes_model
from reid_desk.ui.job_queue import Job
from reid_desk.ui.pages.adapt import AdaptPage
from reid_desk.ui.pages.dashboard import DashboardPage
from reid_desk.ui.pages.footage import FootagePage
from reid_desk.ui.pages.page import Page
from reid_desk.ui.pages.search import IMAGE_SUFFIXES, SearchPage
from reid_desk.ui.widgets import plots
from reid_desk.ui.widgets.banner import Banner
from reid_desk.ui.widgets.drop_target import DropTarget
from reid_desk.ui.widgets.job_bar import JobBar
from reid_desk.ui.widgets.layout import column, holder, row
from reid_desk.ui.widgets.rail import Rail

_SMALLEST = (1100, 700)
_FIRST = (1280, 800)
_AFTER_FIRST_PAINT_MS = 50


class Window(QMainWindow):
    """One desk's window.

    ``site_wanted`` carries the folder of another site that the operator wants to open too, ``closed`` is
    emitted when the window has let go of its site.
    """

    site_wanted = Signal(str)
    closed = Signal()

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self.desk = desk
        self._leaving = False
        self._warming = Background(self, threads=1)
        self.setWindowTitle(f"{desk.site.name} - ReID Desk")
        self.setMinimumSize(*_SMALLEST)
        self.actions_ = Actions(self)
        self.banner = Banner()
        self.footage = FootagePage(desk, self.actions_)
        self.adapt = AdaptPage(desk, self.actions_)
        self.search = SearchPage(desk, self.actions_)
        self.dashboard = DashboardPage(desk, self.actions_)
        self.pages: dict[str, Page] = {
            page.name: page for page in (self.footage, self.adapt, self.search, self.dashboard)
        }
        self.stack = QStackedWidget()
        for page in self.pages.values():
            self.stack.addWidget(page)
            self.actions_.scope(page.name, page)
            page.state_changed.connect(self._refresh_actions)
        self.jobs = JobBar(desk, self.actions_)
        self._lay_out()
        self._make_menus()
        self._connect()
        self._restore()
        self.show_page(self._first_page())

    @property
    def page(self) -> Page:
        """The page shown."""
        page = self.stack.currentWidget()
        assert isinstance(page, Page)
        return page

    def show_page(self, name: str) -> None:
        """Show the page ``name``."""
        self.stack.setCurrentWidget(self.pages[name])
        self.actions_[f"page.{name}"].setChecked(True)
        self.desk.preferences.set_text("page", name)
        self._refresh_actions()

    def tell(self, text: str, level: str = "info", details: str = "") -> None:
        """Show a message above the page."""
        self.banner.tell(text, level=level, details=details)  # type: ignore[arg-type]

    def take_dropped(self, paths: Sequence[Path]) -> None:
        """Take what was dropped as the page shown invites it: a picture on Search, a source on its tab, footage."""
        if self.page is self.search and paths[0].suffix.lower() in IMAGE_SUFFIXES:
            self.search.search_file(paths[0])
            return
        if self.page is not self.footage:
            self.footage.show_clips()
            self.show_page("footage")
        self.footage.take(paths)

    def _invitation(self) -> str:
        if self.page is self.search:
            return self.tr("Drop a picture of the person to search for, or footage to add")
        if self.page is self.footage and self.footage.on_sources:
            return self.tr("Drop a folder of labelled images")
        return self.tr("Drop footage to add it")

    def try_demo(self) -> Job:
        """Fill this site with the demo, and show how the desk adapts to it."""
        job = self.desk.start_job("demo", self.tr("Demo"))
        self.adapt.follow(job)
        self.show_page("adapt")
        return job

    def _first_page(self) -> str:
        stored = self.desk.preferences.text("page")
        return stored if stored in PAGES and self.desk.summary.clips else "footage"

    def _lay_out(self) -> None:
        rail = Rail(
            self.desk.site.name,
            str(self.desk.site.path),
            [self.actions_[f"page.{name}"] for name in PAGES],
            [self.actions_["help.page"]],
        )
        above = row(self.banner)
        above.setContentsMargins(24, 12, 24, 0)
        self._above = holder(above)
        self._above.hide()
        right = column(self._above, self.stack, spacing=0)
        right.setStretch(1, 1)
        whole = row(rail, holder(right), spacing=0)
        whole.setStretch(1, 1)
        self._whole = holder(whole)
        self.setCentralWidget(self._whole)
        self.setStatusBar(self.jobs)

    def _make_menus(self) -> None:
        bar = self.menuBar()
        bar.setAccessibleName(self.tr("Menus"))
        menus = {name: bar.addMenu(words(text)) for name, text in MENUS.items()}
        undo = self.desk.undo.createUndoAction(self, self.tr("Undo"))
        redo = self.desk.undo.createRedoAction(self, self.tr("Redo"))
        undo.setShortcut("Ctrl+Z")
        redo.setShortcut("Ctrl+Shift+Z")
        menus["edit"].addActions([undo, redo])
        menus["edit"].addSeparator()
        for spec, action in self.actions_:
            if spec.name in ("job.pause", "site.open", "view.larger", "view.system"):
                menus[spec.menu].addSeparator()
            menus[spec.menu].addAction(action)

    def _connect(self) -> None:
        actions, desk = self.actions_, self.desk
        self._page_group = self._group([f"page.{name}" for name in PAGES])
        self._scheme_group = self._group([f"view.{scheme.value}" for scheme in Scheme])
        for name in PAGES:
            actions[f"page.{name}"].triggered.connect(lambda _=False, name=name: self.show_page(name))
        for scheme in Scheme:
            action = actions[f"view.{scheme.value}"]
            action.setChecked(scheme is desk.appearance.scheme)
            action.triggered.connect(lambda _=False, scheme=scheme: desk.appearance.choose(scheme))
        actions["demo.try"].triggered.connect(self.try_demo)
        actions["job.pause"].triggered.connect(lambda: self._with_job(desk.jobs.pause))
        actions["job.go_on"].triggered.connect(lambda: self._with_job(desk.jobs.go_on))
        actions["job.cancel"].triggered.connect(lambda: self._with_job(desk.jobs.cancel))
        actions["site.open"].triggered.connect(self._choose_site)
        actions["window.close"].triggered.connect(self.close)
        actions["help.page"].triggered.connect(lambda: help_pages.page_help(self.page.name, self).show())
        actions["help.shortcuts"].triggered.connect(lambda: help_pages.shortcuts_help(actions, self).show())
        actions["help.about"].triggered.connect(lambda: help_pages.about(self).show())
        actions["search.open_image"].triggered.connect(lambda: self.show_page("search"))
        actions["source.add"].triggered.connect(self._show_sources)
        desk.appearance.changed.connect(actions.redraw_icons)
        desk.refreshed.connect(self._refresh_actions)
        desk.jobs.changed.connect(self._refresh_actions)
        desk.jobs.ended.connect(self._job_ended)
        desk.problem.connect(self.tell)
        self.banner.closed.connect(self._above.hide)
        self.banner.shown.connect(self._above.show)
        DropTarget(self._whole, self._invitation, self.take_dropped)

    def _group(self, names: list[str]) -> QActionGroup:
        group = QActionGroup(self)
        for name in names:
            group.addAction(self.actions_[name])
        return group

    def _show_sources(self) -> None:
        self.show_page("footage")
        self.footage.tabs.setCurrentWidget(self.footage.sources)

    def _refresh_actions(self) -> None:
        summary, jobs = self.desk.summary, self.desk.jobs.jobs()
        choice = self.adapt.choice
        kinds = {job.spec.kind for job in jobs}
        current = summary.current_model
        changing = any(map(changes_model, jobs))
        self.actions_.refresh(
            DeskState(
                page=self.page.name,
                clips=len(summary.clips),
                crops=summary.crops,
                sources=len(summary.sources),
                evaluations=len(summary.evaluations),
                model=current is not None,
                job=bool(jobs),
                paused=any(job.state in ("pausing", "paused") for job in jobs),
                importing=bool(kinds & {"import", "demo"}),
                resumable=self.adapt.resumable is not None,
                new_model=choice is not None
                and (current is None or current.id != choice.new.id)
                and not changing,
                old_model=choice is not None
                and choice.old is not None
                and current is not None
                and current.id == choice.new.id
                and not changing,
                selection=self.page.selection,
                source_selected=self.page is self.footage and self.footage.source_selected,
                results=self.page.results,
                evaluation_data=bool(summary.evaluation_sets),
            )
        )

    def _job_ended(self, job: Job) -> None:
        if self._leaving and self.desk.jobs.current is None:
            QTimer.singleShot(0, self.close)
        elif job.state == "finished":
            self.banner.note(self.tr("{job}: done.").format(job=job.title))

    def _with_job(self, act: Callable[[Job], None]) -> None:
        if self.desk.jobs.current is not None:
            act(self.desk.jobs.current)

    def _choose_site(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self, self.tr("Open a site"))
        if chosen:
            self.site_wanted.emit(chosen)

    def _restore(self) -> None:
        geometry = self.desk.preferences.state("geometry")
        if geometry is None or not self.restoreGeometry(geometry):
            self.resize(*_FIRST)

    def showEvent(self, event: QShowEvent) -> None:  # noqa: N802, D102 - Qt's name
        super().showEvent(event)
        if not event.spontaneous():
            QTimer.singleShot(_AFTER_FIRST_PAINT_MS, self._warm_up)

    def _warm_up(self) -> None:
        """Load what takes long and is needed soon, on a thread of its own."""
        processors = os.cpu_count() or 1
        self._warming.run(plots.load, lambda _: None)
        self._warming.run(
            cuda_works,
            lambda gpu: self.jobs.show_device(
                self.tr("graphics card (CUDA)") if gpu else self.tr("CPU, {n} cores").format(n=processors)
            ),
        )
        self.search.warm_up()

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802, D102 - Qt's name
        self.desk.preferences.set_state("geometry", self.saveGeometry())
        if not self.desk.jobs.jobs():
            self._let_go()
            event.accept()
            return
        event.ignore()
        if not self._leaving:
            self._ask_to_leave()

    def _let_go(self) -> None:
        self._warming.shut_down()
        self.search.close_search()
        self.desk.close()
        self.closed.emit()

    def _ask_to_leave(self) -> None:
        job = self.desk.jobs.jobs()[0]
        box = QMessageBox(
            QMessageBox.Icon.Question,
            self.tr("Close the desk"),
            self.tr("“{job}” is still running. Stop it and close?").format(job=job.title),
            QMessageBox.StandardButton.NoButton,
            self,
        )
        box.setInformativeText(self.tr("What it has done so far is saved; it can go on at the next start."))
        stop = box.addButton(self.tr("Stop and close"), QMessageBox.ButtonRole.AcceptRole)
        box.addButton(self.tr("Keep it running"), QMessageBox.ButtonRole.RejectRole)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.buttonClicked.connect(lambda button: self._leave() if button is stop else None)
        box.open()

    def _leave(self) -> None:
        self._leaving = True
        self.tell(self.tr("Stopping the job and saving its work. The desk closes as soon as it is safe."))
        if self.desk.jobs.jobs():
            self.desk.jobs.cancel_all()
        else:
            self.close()
