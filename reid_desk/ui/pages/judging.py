"""What an operator says of the possible matches of a query, with undo."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoCommand

from reid_desk.site.records import Crop, Subject, Verdict
from reid_desk.ui.background import Background
from reid_desk.ui.desk import Desk

_BEFORE_SEARCHES = 1


class Judging(QObject):
    """The verdicts on the answer that is shown.

    Signals:
        changed: a verdict was given or taken back.
    """

    changed = Signal()

    def __init__(self, desk: Desk, one_by_one: Background) -> None:
        """Write and read with ``one_by_one``, which has a single thread: the last word stays the last."""
        super().__init__()
        self._desk = desk
        self._one_by_one = one_by_one
        self._subject: Subject | None = None
        self._verdicts: dict[int, Verdict] = {}

    def read(self, subject: Subject, then: Callable[[list[Verdict]], None]) -> None:
        """Read what was said of a subject before, and call ``then`` with it."""
        site = self._desk.site
        self._one_by_one.run(
            lambda: site.verdicts(subject), then, self._desk.show_error, priority=_BEFORE_SEARCHES
        )

    def start(self, subject: Subject, verdicts: Sequence[Verdict]) -> None:
        """Go on with what was said of this subject before."""
        self._subject = subject
        self._verdicts = {verdict.track_id: verdict for verdict in verdicts}

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """All that hold for the subject, oldest first."""
        return tuple(self._verdicts.values())

    def verdict_on(self, track_id: int) -> bool | None:
        """Whether that track shows the same person, or ``None`` if nothing was said of it."""
        verdict = self._verdicts.get(track_id)
        return None if verdict is None else verdict.same

    def judge(self, crop: Crop, same: bool) -> None:
        """Say that a possible match is the same person or not; saying it again takes it back."""
        if self._subject is None:
            return
        before = self.verdict_on(crop.track_id)
        after = None if before == same else same
        self._desk.undo.push(_Judge(self, self._subject, crop, before, after))

    def say(self, subject: Subject, crop: Crop, same: bool | None) -> None:
        """Store a verdict, and show it where its subject is the one that is shown."""
        if subject == self._subject:
            self._verdicts.pop(crop.track_id, None)
            if same is not None:
                self._verdicts[crop.track_id] = Verdict(crop.track_id, crop.id, same, time.time())
            self.changed.emit()
        site = self._desk.site
        self._one_by_one.run(
            lambda: site.judge(subject, crop, same),
            lambda _before: None,
            self._desk.show_error,
            priority=_BEFORE_SEARCHES,
        )


class _Judge(QUndoCommand):
    def __init__(
        self, judging: Judging, subject: Subject, crop: Crop, before: bool | None, after: bool | None
    ) -> None:
        what = {
            True: judging.tr("Same person"),
            False: judging.tr("Different person"),
            None: judging.tr("Take the verdict back"),
        }[after]
        super().__init__(what)
        self._judging, self._subject, self._crop = judging, subject, crop
        self._before, self._after = before, after

    def redo(self) -> None:
        self._judging.say(self._subject, self._crop, self._after)

    def undo(self) -> None:
        self._judging.say(self._subject, self._crop, self._before)
