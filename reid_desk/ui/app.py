"""Starts the desk's window."""

from __future__ import annotations

import os
import signal
import sys
import traceback
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QCoreApplication, QLocale, Qt, QTranslator
from PySide6.QtGui import QIcon
from PySide6.QtWidgets import QApplication

import reid_desk
import resources
from reid_desk.errors import ReidDeskError
from reid_desk.jobs.spec import worker_command
from reid_desk.site import Site
from reid_desk.ui.appearance import Appearance
from reid_desk.ui.background import unfinished
from reid_desk.ui.crash_report import CrashReport
from reid_desk.ui.desk import Desk
from reid_desk.ui.job_queue import JobQueue, WorkerCommand
from reid_desk.ui.preferences import Preferences
from reid_desk.ui.start_dialog import StartDialog
from reid_desk.ui.start_qt import start_qt
from reid_desk.ui.window import Window

BAD_INPUT = 2
_LANGUAGE = "en"


class App:
    """The application: its windows (one a site), and the dialog that chooses a site.

    ``worker`` turns a job file into the command that carries it out.

    Attributes:
        windows: the desks that are open.
        start_dialog: the dialog, while no site is open.
    """

    def __init__(
        self,
        app: QApplication,
        preferences: Preferences | None = None,
        *,
        worker: WorkerCommand = worker_command,
    ) -> None:
        self.app = app
        self.preferences = preferences or Preferences()
        self.appearance = Appearance(app, self.preferences)
        self._worker = worker
        self.windows: list[Window] = []
        self.start_dialog: StartDialog | None = None
        app.setWindowIcon(QIcon(str(resources.path("icons/reid-desk.svg"))))
        if QLocale.system().language() == QLocale.Language.C:  # which groups no digits
            QLocale.setDefault(QLocale(QLocale.Language.English))
        self._translator = QTranslator(app)
        if self._translator.load(str(resources.path(f"translations/reid_desk_{_LANGUAGE}.qm"))):
            app.installTranslator(self._translator)

    def choose_site(self) -> None:
        """Ask which site to open."""
        self.start_dialog = StartDialog(self.preferences)
        self.start_dialog.chosen.connect(self._chosen)
        self.start_dialog.show()

    def open_site(self, path: Path, *, create: bool = False) -> Window:
        """Open a desk on the site in ``path``.

        Raises:
            ReidDeskError: there is no site, it cannot be opened, or another desk has it.
        """
        if create:
            Site.create(path).close()
        site = Site.open(path, exclusive=True)
        desk = Desk(site, self.appearance, self.preferences, JobQueue(command=self._worker))
        self.preferences.remember_site(path)
        window = Window(desk)
        window.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        window.site_wanted.connect(lambda wanted: self._open_another(window, Path(wanted)))
        window.closed.connect(lambda: self.windows.remove(window))
        self.windows.append(window)
        window.show()
        desk.settle()
        return window

    def show_crash(
        self, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Show an exception that nobody caught; the desk goes on."""
        details = "".join(traceback.format_exception(kind, error, trace))
        sys.stderr.write(details)
        if issubclass(kind, KeyboardInterrupt):
            self.app.exit(1)
        for window in self.windows[-1:]:
            text = QCoreApplication.translate(
                "app",
                "Something went wrong in the desk ({what}). It goes on; if it misbehaves, close and open it.",
            )
            window.tell(text.format(what=kind.__name__), "bad", details)

    def tell_of_crash(self, report: str) -> None:
        """Tell the operator that the desk ended unexpectedly last time, if ``report`` says so."""
        if report and self.windows:
            text = QCoreApplication.translate(
                "app", "The desk ended unexpectedly last time. Nothing stored is lost."
            )
            self.windows[0].tell(text, "warning", report)

    def _chosen(self, path: Path, way: str) -> None:
        dialog = self.start_dialog
        assert dialog is not None
        try:
            window = self.open_site(path, create=way != "open")
        except ReidDeskError as error:
            dialog.show_error(str(error))
            return
        dialog.close()
        self.start_dialog = None
        if way == "demo":
            window.try_demo()

    def _open_another(self, window: Window, path: Path) -> None:
        try:
            self.open_site(path)
        except ReidDeskError as error:
            window.tell(str(error), "warning")


def main(site_path: Path | None) -> int:
    """Run the desk on the site in ``site_path``, or let the operator choose one.

    Returns the exit code: 2, with one line on stderr, if the site cannot be opened. Without a display that can be
    reached the process ends right here, see :func:`reid_desk.ui.start_qt.start_qt`.
    """
    app = start_qt()
    app.setOrganizationName("ReID Desk")
    app.setApplicationName("ReID Desk")
    app.setApplicationVersion(reid_desk.__version__)
    app.setDesktopFileName("reid-desk")
    desk_app = App(app)
    try:
        if site_path is None:
            desk_app.choose_site()
        else:
            desk_app.open_site(site_path)
    except ReidDeskError as error:
        sys.stderr.write(f"reid-desk: {error}\n")
        return BAD_INPUT
    report = CrashReport()
    desk_app.tell_of_crash(report.take_earlier())
    report.watch()
    sys.excepthook = desk_app.show_crash
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    code = app.exec()
    report.end()
    if unfinished():
        sys.stdout.flush()
        os._exit(code)
    return code
