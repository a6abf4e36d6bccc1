"""Everything an operator can do, in one table: text, icon, shortcut, and when it can be done.

The menus, the buttons, the help on shortcuts and the keyboard are all made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PySide6.QtCore import QCoreApplication, QObject, Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from reid_desk.ui import icons


def QT_TRANSLATE_NOOP(_context: str, text: str) -> str:  # noqa: N802 - lupdate knows it by this name
    """Mark ``text`` for translation; PySide's own is typed as returning any object."""
    return text


@dataclass(frozen=True)
class DeskState:
    """What decides which actions can be done now.

    Attributes:
        page: the page shown.
        clips, crops, sources, evaluations: how many the site holds.
        model: whether the site has a model in use.
        job: whether a job works or waits.
        paused: whether the working job stands still.
        importing: whether a job brings footage in.
        resumable: whether an adaptation was interrupted and can go on.
        new_model: whether there is an adapted model that is not in use.
        old_model: whether the adapted model is in use and there is an older one to go back to.
        selection: whether something is selected on the page shown.
        source_selected: whether a labelled source is selected on the tab shown.
        results: whether possible matches are shown.
        evaluation_data: whether there is something to measure a model with.
    """

    page: str = ""
    clips: int = 0
    crops: int = 0
    sources: int = 0
    evaluations: int = 0
    model: bool = False
    job: bool = False
    paused: bool = False
    importing: bool = False
    resumable: bool = False
    new_model: bool = False
    old_model: bool = False
    selection: bool = False
    source_selected: bool = False
    results: bool = False
    evaluation_data: bool = False


def _always(_state: DeskState) -> bool:
    return True


@dataclass(frozen=True)
class ActionSpec:
    """One thing to do.

    Attributes:
        name: for the code, ``page.action``.
        text: for people.
        menu: the menu it is in.
        icon: file in ``resources/icons``.
        shortcuts: portable key sequences; the first one is shown.
        tip: what it does, where the text alone does not tell.
        enabled_when: whether it can be done in a state.
        checkable: whether it is a switch.
        page: the page where its shortcut works; ``None``: everywhere.
    """

    name: str
    text: str
    menu: str
    icon: str | None = None
    shortcuts: tuple[str, ...] = ()
    tip: str = ""
    enabled_when: Callable[[DeskState], bool] = _always
    checkable: bool = False
    page: str | None = None


PAGES = ("footage", "adapt", "search", "dashboard")
MENUS = {
    "site": QT_TRANSLATE_NOOP("actions", "&Site"),
    "edit": QT_TRANSLATE_NOOP("actions", "&Edit"),
    "search": QT_TRANSLATE_NOOP("actions", "Sea&rch"),
    "model": QT_TRANSLATE_NOOP("actions", "&Model"),
    "view": QT_TRANSLATE_NOOP("actions", "&View"),
    "help": QT_TRANSLATE_NOOP("actions", "&Help"),
}

SPECS = (
    ActionSpec(
        "footage.add",
        QT_TRANSLATE_NOOP("actions", "Add footage…"),
        "site",
        "add",
        ("Ctrl+N",),
        QT_TRANSLATE_NOOP("actions", "Import video files"),
    ),
    ActionSpec(
        "footage.add_folder",
        QT_TRANSLATE_NOOP("actions", "Add a folder of footage…"),
        "site",
        "folder",
        ("Ctrl+Shift+N",),
        QT_TRANSLATE_NOOP("actions", "Import a folder of video files, or of frames"),
    ),
    ActionSpec(
        "source.add",
        QT_TRANSLATE_NOOP("actions", "Add a labelled source…"),
        "site",
        "labels",
        ("Ctrl+L",),
        QT_TRANSLATE_NOOP("actions", "A folder of images of people whose identity and camera are known"),
    ),
    ActionSpec(
        "demo.try",
        QT_TRANSLATE_NOOP("actions", "Try the demo"),
        "site",
        "demo",
        (),
        QT_TRANSLATE_NOOP("actions", "Fill this site with generated footage and run the whole job on it"),
        lambda state: not state.clips and not state.job,
    ),
    ActionSpec(
        "job.pause",
        QT_TRANSLATE_NOOP("actions", "Pause the job"),
        "site",
        "pause",
        ("Ctrl+,",),
        QT_TRANSLATE_NOOP("actions", "Let what is running stand still; the machine is yours meanwhile"),
        lambda state: state.job and not state.paused,
    ),
    ActionSpec(
        "job.go_on",
        QT_TRANSLATE_NOOP("actions", "Go on with the job"),
        "site",
        "play",
        (),
        QT_TRANSLATE_NOOP("actions", "Let the paused job work again"),
        lambda state: state.paused,
    ),
    ActionSpec(
        "job.cancel",
        QT_TRANSLATE_NOOP("actions", "Cancel the job"),
        "site",
        "stop",
        ("Ctrl+.",),
        QT_TRANSLATE_NOOP("actions", "Stop what is running; what it has done so far is kept"),
        lambda state: state.job,
    ),
    ActionSpec(
        "site.open", QT_TRANSLATE_NOOP("actions", "Open another site…"), "site", "folder", ("Ctrl+O",)
    ),
    ActionSpec("window.close", QT_TRANSLATE_NOOP("actions", "Close the desk"), "site", None, ("Ctrl+Q",)),
    ActionSpec(
        "footage.correct",
        QT_TRANSLATE_NOOP("actions", "Correct the selected clips…"),
        "edit",
        "clock",
        ("F2",),
        QT_TRANSLATE_NOOP("actions", "Say which camera recorded the clips, and when a clip began"),
        lambda state: state.page == "footage" and state.selection and not state.importing,
        page="footage",
    ),
    ActionSpec(
        "footage.remove",
        QT_TRANSLATE_NOOP("actions", "Remove the selected clips…"),
        "edit",
        "remove",
        ("Del",),
        QT_TRANSLATE_NOOP("actions", "Forget the clips and their crops; the original files stay"),
        lambda state: state.page == "footage" and state.selection and not state.importing,
        page="footage",
    ),
    ActionSpec(
        "source.remove",
        QT_TRANSLATE_NOOP("actions", "Remove the selected source…"),
        "edit",
        "remove",
        (),
        QT_TRANSLATE_NOOP("actions", "Forget the labelled source; its images stay"),
        lambda state: state.source_selected and not state.job,
    ),
    ActionSpec(
        "search.open_image",
        QT_TRANSLATE_NOOP("actions", "Search with an image…"),
        "search",
        "image",
        ("Ctrl+I",),
        QT_TRANSLATE_NOOP("actions", "Open a picture of a person and rank the site's crops by likeness"),
        lambda state: state.crops > 0 and state.model,
    ),
    ActionSpec(
        "search.paste",
        QT_TRANSLATE_NOOP("actions", "Paste an image"),
        "search",
        "paste",
        ("Ctrl+V",),
        QT_TRANSLATE_NOOP("actions", "Search with the picture in the clipboard"),
        lambda state: state.crops > 0 and state.model,
        page="search",
    ),
    ActionSpec(
        "search.this",
        QT_TRANSLATE_NOOP("actions", "Search for this person"),
        "search",
        "search",
        ("Return", "Enter"),
        QT_TRANSLATE_NOOP("actions", "Rank the site's crops by likeness to the selected one"),
        lambda state: state.page == "search" and state.selection and state.model,
        page="search",
    ),
    ActionSpec(
        "search.details",
        QT_TRANSLATE_NOOP("actions", "Show details"),
        "search",
        "details",
        ("Space",),
        QT_TRANSLATE_NOOP("actions", "Show the selected crop large, with its clip and place"),
        checkable=True,
        enabled_when=lambda state: state.page == "search",
        page="search",
    ),
    ActionSpec(
        "search.same",
        QT_TRANSLATE_NOOP("actions", "Same person"),
        "search",
        "check",
        ("Y",),
        QT_TRANSLATE_NOOP(
            "actions", "Say that the selected possible match shows the person; again: take it back"
        ),
        lambda state: state.page == "search" and state.results and state.selection,
        page="search",
    ),
    ActionSpec(
        "search.different",
        QT_TRANSLATE_NOOP("actions", "Different person"),
        "search",
        "cancel",
        ("N",),
        QT_TRANSLATE_NOOP(
            "actions", "Say that the selected possible match shows somebody else; again: take it back"
        ),
        lambda state: state.page == "search" and state.results and state.selection,
        page="search",
    ),
    ActionSpec(
        "search.undo",
        QT_TRANSLATE_NOOP("actions", "Undo the last verdict"),
        "search",
        None,
        ("U",),
        enabled_when=lambda state: state.page == "search" and state.results,
        page="search",
    ),
    ActionSpec(
        "search.back",
        QT_TRANSLATE_NOOP("actions", "All crops"),
        "search",
        "back",
        ("Alt+Left", "Esc"),
        enabled_when=lambda state: state.page == "search" and state.results,
        page="search",
    ),
    ActionSpec(
        "adapt.start",
        QT_TRANSLATE_NOOP("actions", "Adapt to site"),
        "model",
        "adapt",
        ("Ctrl+Return",),
        QT_TRANSLATE_NOOP("actions", "Learn from this site's own footage"),
        lambda state: state.crops > 0 and state.sources > 0 and not state.job,
        page="adapt",
    ),
    ActionSpec(
        "adapt.resume",
        QT_TRANSLATE_NOOP("actions", "Resume the interrupted run"),
        "model",
        "resume",
        (),
        QT_TRANSLATE_NOOP("actions", "Go on where the last adaptation stopped"),
        lambda state: state.resumable and not state.job,
    ),
    ActionSpec(
        "adapt.use_new",
        QT_TRANSLATE_NOOP("actions", "Use this model"),
        "model",
        "check",
        (),
        QT_TRANSLATE_NOOP("actions", "Search with the adapted model from now on"),
        lambda state: state.new_model,
    ),
    ActionSpec(
        "adapt.keep_old",
        QT_TRANSLATE_NOOP("actions", "Keep the old one"),
        "model",
        "back",
        (),
        QT_TRANSLATE_NOOP("actions", "Go on searching with the model used before"),
        lambda state: state.old_model,
    ),
    ActionSpec(
        "dashboard.evaluate",
        QT_TRANSLATE_NOOP("actions", "Evaluate the model"),
        "model",
        "dashboard",
        ("Ctrl+E",),
        QT_TRANSLATE_NOOP("actions", "Measure the model in use on the labelled evaluation set"),
        lambda state: state.model and state.evaluation_data and not state.job,
    ),
    ActionSpec(
        "dashboard.evaluate_with",
        QT_TRANSLATE_NOOP("actions", "Evaluate with a folder…"),
        "model",
        "folder",
        (),
        QT_TRANSLATE_NOOP("actions", "Measure the model in use on a labelled folder of your own"),
        lambda state: state.model and not state.job,
    ),
    ActionSpec(
        "dashboard.export_png",
        QT_TRANSLATE_NOOP("actions", "Export the curve as PNG…"),
        "model",
        "export",
        (),
        enabled_when=lambda state: state.evaluations > 0,
    ),
    ActionSpec(
        "dashboard.export_csv",
        QT_TRANSLATE_NOOP("actions", "Export the figures as CSV…"),
        "model",
        "export",
        (),
        enabled_when=lambda state: state.evaluations > 0,
    ),
    ActionSpec(
        "page.footage",
        QT_TRANSLATE_NOOP("actions", "Footage"),
        "view",
        "footage",
        ("Ctrl+1",),
        checkable=True,
    ),
    ActionSpec(
        "page.adapt", QT_TRANSLATE_NOOP("actions", "Adapt"), "view", "adapt", ("Ctrl+2",), checkable=True
    ),
    ActionSpec(
        "page.search", QT_TRANSLATE_NOOP("actions", "Search"), "view", "search", ("Ctrl+3",), checkable=True
    ),
    ActionSpec(
        "page.dashboard",
        QT_TRANSLATE_NOOP("actions", "Dashboard"),
        "view",
        "dashboard",
        ("Ctrl+4",),
        checkable=True,
    ),
    ActionSpec(
        "view.larger",
        QT_TRANSLATE_NOOP("actions", "Larger thumbnails"),
        "view",
        None,
        ("Ctrl++", "Ctrl+="),
        enabled_when=lambda state: state.page == "search",
        page="search",
    ),
    ActionSpec(
        "view.smaller",
        QT_TRANSLATE_NOOP("actions", "Smaller thumbnails"),
        "view",
        None,
        ("Ctrl+-",),
        enabled_when=lambda state: state.page == "search",
        page="search",
    ),
    ActionSpec(
        "view.system", QT_TRANSLATE_NOOP("actions", "Appearance of the system"), "view", checkable=True
    ),
    ActionSpec("view.light", QT_TRANSLATE_NOOP("actions", "Light"), "view", checkable=True),
    ActionSpec("view.dark", QT_TRANSLATE_NOOP("actions", "Dark"), "view", checkable=True),
    ActionSpec("help.page", QT_TRANSLATE_NOOP("actions", "Help on this page"), "help", "help", ("F1",)),
    ActionSpec(
        "help.shortcuts", QT_TRANSLATE_NOOP("actions", "Keyboard shortcuts"), "help", "keyboard", ("Ctrl+/",)
    ),
    ActionSpec("help.about", QT_TRANSLATE_NOOP("actions", "About ReID Desk"), "help", "info"),
)


def words(text: str) -> str:
    """Return ``text`` of a table in this module in the operator's language."""
    return QCoreApplication.translate("actions", text)


class Actions(QObject):
    """The actions of one window, by name."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._actions: dict[str, QAction] = {}
        for spec in SPECS:
            self._actions[spec.name] = self._make(spec, window)
        self.redraw_icons()

    def __getitem__(self, name: str) -> QAction:
        return self._actions[name]

    def __iter__(self) -> Iterator[tuple[ActionSpec, QAction]]:
        return ((spec, self._actions[spec.name]) for spec in SPECS)

    def refresh(self, state: DeskState) -> None:
        """Enable what can be done in ``state``."""
        for spec, action in self:
            action.setEnabled(spec.enabled_when(state))

    def scope(self, page: str, widget: QWidget) -> None:
        """Let the shortcuts of ``page`` work inside ``widget`` only."""
        for spec, action in self:
            if spec.page == page:
                action.setShortcutContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
                widget.addAction(action)

    def redraw_icons(self) -> None:
        """Draw the icons in the colours of the palette as it is now."""
        for spec, action in self:
            if spec.icon:
                action.setIcon(icons.icon(spec.icon))

    def _make(self, spec: ActionSpec, window: QWidget) -> QAction:
        action = QAction(words(spec.text), window)
        action.setObjectName(spec.name)
        action.setShortcuts([QKeySequence(keys) for keys in spec.shortcuts])
        action.setCheckable(spec.checkable)
        tip = words(spec.tip or spec.text).rstrip("…")
        keys = action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
        action.setToolTip(f"{tip} ({keys})" if keys else tip)
        action.setIconText(f"  {action.text()}")  # what a page's button shows, a little away from its icon
        if spec.page is None:
            window.addAction(action)
        return action
