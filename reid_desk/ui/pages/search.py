"""The Search page: the gallery of crops, a query, its possible matches."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QModelIndex, Qt
from PySide6.QtGui import QGuiApplication, QImage, QResizeEvent
from PySide6.QtWidgets import QFileDialog, QStackedWidget, QWidget

from reid_desk.errors import ReidDeskError
from reid_desk.investigation.person_search import PersonSearch, PossibleMatch
from reid_desk.site.records import Crop, Verdict
from reid_desk.ui import words
from reid_desk.ui.actions import Actions
from reid_desk.ui.background import Background, Latest
from reid_desk.ui.desk import Desk
from reid_desk.ui.models.crops import CropsModel
from reid_desk.ui.models.matches import MatchesModel
from reid_desk.ui.models.roles import CropRole, ScoreRole
from reid_desk.ui.pages.crop_details import CropDetails
from reid_desk.ui.pages.judging import Judging
from reid_desk.ui.pages.page import Page
from reid_desk.ui.pages.search_panel import WIDTH, SearchPanel
from reid_desk.ui.pages.search_query import Query, allowed_cameras, query_of_file, query_of_image
from reid_desk.ui.widgets.buttons import ActionButton, quiet_button
from reid_desk.ui.widgets.empty_state import EmptyState
from reid_desk.ui.widgets.layout import UNIT, column, holder, row, scrolled
from reid_desk.ui.widgets.text import ElidedLabel
from reid_desk.ui.widgets.tile_delegate import SIZES, TileDelegate
from reid_desk.ui.widgets.tile_view import TileView

_ROOM_FOR_SIZES = 560
IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".webp"})


class SearchPage(Page):
    """Select a crop or bring a picture; the site's crops are ranked by likeness."""

    def __init__(self, desk: Desk, actions: Actions) -> None:
        super().__init__("search", desk, actions)
        self._searcher = PersonSearch(desk.site)
        self._pool = Background(desk, threads=1)
        self._searching = Latest(self._pool)
        self._query: Query | None = None
        self.crops = CropsModel(desk.site, desk.background)
        self.judging = Judging(desk, self._pool)
        self.matches = MatchesModel(self.judging.verdict_on)
        self._next: int | None = None  # the track to select in the answer that is on its way
        self.panel = SearchPanel(actions)
        self.details = CropDetails(desk, actions)
        self.details.hide()
        self.gallery = self._make_view(self.crops, scored=False, name=self.tr("All crops"))
        self.answers = self._make_view(self.matches, scored=True, name=self.tr("Possible matches"))
        self._count = ElidedLabel(size="heading", elide=Qt.TextElideMode.ElideRight)
        self._empty = self._make_empty()
        self._nothing = EmptyState(
            "search",
            self.tr("No possible match"),
            self.tr("No crop passes the filters. Lower the minimum score, or allow more cameras."),
        )
        self._stack = QStackedWidget()
        for view in (self.gallery, self.answers, self._nothing):
            self._stack.addWidget(view)
        self._filled = self._lay_out()
        self._whole = QStackedWidget()
        self._whole.addWidget(self._empty)
        self._whole.addWidget(self._filled)
        self.content.addWidget(self._whole, 1)
        self._shown: object = None
        self._connect()
        self.refresh()

    def search(self, query: Query) -> None:
        """Rank the site's crops by likeness to ``query``, and go on with what was said of its matches before."""
        self._query, self._next = query, None
        self._show_query(query)
        self._count.set_whole_text(self.tr("Searching…"))

        def begin(verdicts: list[Verdict]) -> None:
            if self._query is query:
                self.judging.start(query.subject, verdicts)
                self._search_again()

        self.judging.read(query.subject, begin)

    def search_file(self, path: Path) -> None:
        """Search with an image file."""
        self.desk.ask(lambda: query_of_file(path), self.search)

    def refresh(self) -> None:
        """Show what the site holds now."""
        summary = self.desk.summary
        if summary.current_model is None:
            how = self.tr("Searching needs a model: adapt to the site first.")
        else:
            how = self.tr(
                "Choose a crop, or drop or paste a picture of a person. Answers are possible matches."
            )
        self.set_heading(self.tr("Search"), how)
        self.panel.set_cameras(summary.cameras)
        self._say_empty()
        self._whole.setCurrentWidget(self._filled if summary.crops else self._empty)
        shown = (summary.crops, summary.cameras, self.panel.filters().cameras)
        if shown != self._shown:
            self._shown = shown
            self.crops.show(shown[2], {camera.id: camera.name for camera in summary.cameras})

    def warm_up(self) -> None:
        """Read what the first search needs; what is missing is said when somebody searches."""
        if self.desk.summary.current_model is not None:
            self._pool.run(self._searcher.refresh, lambda _: None, lambda _error: None)

    def close_search(self) -> None:
        """Stop the searching thread."""
        self._pool.shut_down()

    def _search_again(self) -> None:
        query = self._query
        if query is None:
            return
        filters = self.panel.filters()
        cameras = allowed_cameras(query, filters, [camera.id for camera in self.desk.summary.cameras])
        wanted = query.crop.id if query.crop else query.image
        own_track = query.crop.track_id if query.crop else None
        verdicts = self.judging.verdicts
        self._count.set_whole_text(self.tr("Searching…"))
        self._searching.run(
            lambda: self._searcher.search(
                wanted,
                top=filters.top,
                cameras=cameras,
                minimum_score=filters.minimum,
                exclude_track=own_track,
                verdicts=verdicts,
                hide_judged=filters.hide_judged,
            ),
            self._take,
            self._refuse,
        )

    def _take(self, found: Sequence[PossibleMatch]) -> None:
        self.matches.set_matches(found)
        self._stack.setCurrentWidget(self.answers if found else self._nothing)
        self.set_state(results=True)
        self._say_count()
        if found:
            row = self.matches.row_of(self._next)
            self.answers.setCurrentIndex(self.matches.index(row or 0))
            if row is None:
                self.answers.scrollToTop()
            self.answers.setFocus()
        self._selected()

    def _refuse(self, error: Exception) -> None:
        self._say_count()
        if isinstance(error, ReidDeskError) and not self.desk.summary.current_model:
            self.desk.problem.emit(
                self.tr(
                    "A search needs a model. Adapt to the site first; it takes one button on the page Adapt."
                ),
                "warning",
                "",
            )
            return
        self.desk.show_error(error)

    def back(self) -> None:
        """Show all crops again."""
        self._searching.drop()
        self._query = None
        self.panel.show_query(QImage(), self.tr("Choose a crop, or bring a picture."))
        self._stack.setCurrentWidget(self.gallery)
        self.set_state(results=False)
        self._say_count()
        self.gallery.setFocus()
        self._selected()

    def _judge(self, same: bool) -> None:
        crop, row = self._current_crop(), self._current_index().row()
        if crop is None or not self.results:
            return
        self.judging.judge(crop, same)
        following = self.matches.not_judged_after(row)
        if self.judging.verdict_on(crop.track_id) is not None and following is not None:
            self._next = following.track_id
            self.answers.setCurrentIndex(self.matches.index(self.matches.row_of(self._next) or 0))
        else:
            self._next = crop.track_id

    def _judged(self) -> None:
        self.matches.show_verdicts()
        self._say_count()
        crop = self._current_crop()
        self._next = crop.track_id if crop is not None else None
        self._search_again()

    def _show_query(self, query: Query) -> None:
        if query.crop is None:
            self.panel.show_query(QImage.fromData(query.image), query.name)
            return
        crop, site = query.crop, self.desk.site
        names = {camera.id: camera.name for camera in self.desk.summary.cameras}
        about = f"{names.get(crop.camera_id, '')}\n{words.local_time(crop.time)}"
        self.desk.ask(
            lambda: QImage.fromData(site.crop_image(crop.id)),
            lambda image: self.panel.show_query(image, about) if self._query is query else None,
        )

    def _connect(self) -> None:
        self.desk.refreshed.connect(self.refresh)
        self.crops.counted.connect(lambda _: self._say_count())
        self.panel.filters_changed.connect(self._filters_changed)
        for view in (self.gallery, self.answers):
            view.doubleClicked.connect(lambda _: self.search_selected())
            view.selectionModel().currentChanged.connect(lambda *_: self._selected())
            for name in ("search.this", "search.details"):
                view.addAction(self.actions_[name])
        for name in ("search.this", "search.details"):
            self.actions_[name].setShortcutContext(Qt.ShortcutContext.WidgetShortcut)
        self.actions_["search.this"].triggered.connect(self.search_selected)
        self.actions_["search.details"].toggled.connect(self.details.setVisible)
        self.actions_["search.details"].toggled.connect(lambda _: self._selected())
        self.actions_["search.details"].toggled.connect(lambda _: self._make_room())
        self.actions_["search.back"].triggered.connect(self.back)
        self.actions_["search.same"].triggered.connect(lambda: self._judge(True))
        self.actions_["search.different"].triggered.connect(lambda: self._judge(False))
        self.actions_["search.undo"].triggered.connect(self.desk.undo.undo)
        self.judging.changed.connect(self._judged)
        self.actions_["search.paste"].triggered.connect(self._paste)
        self.actions_["search.open_image"].triggered.connect(self._open)
        self.actions_["view.larger"].triggered.connect(lambda: self._resize(1))
        self.actions_["view.smaller"].triggered.connect(lambda: self._resize(-1))

    def search_selected(self) -> None:
        """Make the selected crop the query."""
        crop = self._current_crop()
        if crop is not None and self.desk.summary.current_model is None:
            self._refuse(ReidDeskError())
        elif crop is not None:
            self.search(Query(crop=crop))

    def resizeEvent(self, event: QResizeEvent) -> None:  # noqa: N802, D102 - Qt's name
        super().resizeEvent(event)
        self._make_room()

    def _make_room(self) -> None:
        """Hide the buttons for the size of the pictures where there is little room; the menu has them too."""
        taken = (self.details.width() if not self.details.isHidden() else 0) + WIDTH
        self._sizes.setVisible(self.width() - taken > _ROOM_FOR_SIZES)

    def _view(self) -> TileView:
        return self.answers if self._stack.currentWidget() is self.answers else self.gallery

    def _current_index(self) -> QModelIndex:
        return self._view().currentIndex()

    def _current_crop(self) -> Crop | None:
        index = self._current_index()
        crop = index.data(CropRole) if index.isValid() else None
        return crop if isinstance(crop, Crop) else None

    def _selected(self) -> None:
        crop = self._current_crop()
        self.set_state(selection=crop is not None)
        self._judge_bar.setVisible(self.results)
        if not self.details.isHidden():
            self.details.show_crop(crop, self._current_index().data(ScoreRole) if crop else None)

    def _filters_changed(self) -> None:
        self.refresh()
        self._search_again()

    def _say_count(self) -> None:
        if self.results:
            self._count.set_whole_text(words.matches(self.matches.rowCount()))
            said = [verdict.same for verdict in self.judging.verdicts]
            judged = words.judged(said.count(True), said.count(False))
            self._judged_text.set_whole_text(judged or self.tr("Is it the person you look for?"))
        else:
            self._count.set_whole_text(words.crops(self.crops.rowCount()))

    def _paste(self) -> None:
        data = QGuiApplication.clipboard().mimeData()
        files = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
        if files:
            self.search_file(Path(files[0]))
        elif data.hasImage():
            self.search(query_of_image(QGuiApplication.clipboard().image(), self.tr("Pasted picture")))
        else:
            self.desk.problem.emit(
                self.tr("There is no picture in the clipboard. Copy one, then paste."), "info", ""
            )

    def _open(self) -> None:
        chosen, _ = QFileDialog.getOpenFileName(
            self,
            self.tr("Search with an image"),
            "",
            self.tr("Images ({patterns})").format(
                patterns=" ".join(f"*{suffix}" for suffix in sorted(IMAGE_SUFFIXES))
            ),
        )
        if chosen:
            self.search_file(Path(chosen))

    def _resize(self, step: int) -> None:
        sizes = list(SIZES)
        now = sizes.index(self._delegates[0].picture_height)
        size = sizes[min(max(now + step, 0), len(sizes) - 1)]
        for view in (self.gallery, self.answers):
            view.use_size(size)
        self.desk.preferences.set_text("thumbnails", str(size))

    def _make_view(self, model: CropsModel | MatchesModel, *, scored: bool, name: str) -> TileView:
        delegate = TileDelegate(self.desk.appearance, self.desk.thumbnails, scored=scored)
        stored = self.desk.preferences.text("thumbnails")
        if stored in map(str, SIZES):
            delegate.use_size(int(stored))
        self._delegates: list[TileDelegate] = [*getattr(self, "_delegates", []), delegate]
        return TileView(model, delegate, self.desk.thumbnails, name)

    def _make_empty(self) -> EmptyState:
        self._to_footage = ActionButton(self.actions_["footage.add"], icon="add", kind="primary")
        return EmptyState("search", "", "", self._to_footage)

    def _say_empty(self) -> None:
        importing = any(clip.state == "importing" for clip in self.desk.summary.clips)
        if importing:
            self._empty.say(
                self.tr("Footage is being imported"),
                self.tr("People appear here as soon as the first clip is done."),
            )
        else:
            self._empty.say(
                self.tr("Nobody to search for yet"),
                self.tr(
                    "Add footage: the people in it are found and shown here. "
                    "Then adapt to the site, and search."
                ),
            )

    def _make_judge_bar(self) -> QWidget:
        """Below the answers: what can be said of the one that is selected."""
        same = ActionButton(self.actions_["search.same"], icon="check")
        different = ActionButton(self.actions_["search.different"], icon="cancel", text=self.tr("Different"))
        self._judged_text = ElidedLabel(elide=Qt.TextElideMode.ElideRight)
        bar = row(self._judged_text, same, different)
        bar.setStretch(0, 1)
        made = holder(bar)
        made.hide()
        return made

    def _lay_out(self) -> QWidget:
        back = ActionButton(self.actions_["search.back"], icon="back", kind="quiet", hides=True)
        smaller = quiet_button(
            self.tr("Smaller thumbnails"), "smaller", self.actions_["view.smaller"].trigger
        )
        larger = quiet_button(self.tr("Larger thumbnails"), "larger", self.actions_["view.larger"].trigger)
        details = quiet_button(self.tr("Details"), "details", self.actions_["search.details"].trigger)
        details.setToolTip(self.actions_["search.details"].toolTip())
        self._sizes = holder(row(smaller, larger))
        bar = row(back, self._count, self._sizes, details)
        bar.setStretch(1, 1)
        self._judge_bar = self._make_judge_bar()
        middle = column(bar, self._stack, self._judge_bar)
        middle.setStretch(1, 1)
        self._middle = holder(middle)
        side = scrolled(self.panel, self.tr("Query and filters"))
        side.setFixedWidth(WIDTH)
        whole = row(side, 4, self._middle, self.details, spacing=UNIT + 4)
        whole.setStretch(2, 1)
        return holder(whole)
