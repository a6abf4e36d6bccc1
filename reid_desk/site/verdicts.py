"""What operators said of possible matches. Methods of :class:`reid_desk.site.Site`."""

from __future__ import annotations

import sqlite3
import time

from reid_desk.errors import SiteError
from reid_desk.site.database import Database
from reid_desk.site.records import Crop, Subject, Verdict


class Verdicts:
    """Same person or different, for each subject and each track: one verdict, the latest."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def judge(self, subject: Subject, crop: Crop, same: bool | None) -> Verdict | None:
        """Store whether a possible match shows the subject; return what was said before.

        Args:
            subject: whom the operator looked for.
            crop: the crop of the match that was looked at; the verdict is on its track.
            same: the same person, a different one, or ``None``: take the verdict back.

        Raises:
            SiteError: the track or the subject is not in the site any more.
            ValueError: the subject is neither a track nor a picture.
        """
        _check(subject)
        key = (subject.track_id, subject.image)
        before = next((each for each in self.verdicts(subject) if each.track_id == crop.track_id), None)
        with self._database.transaction() as connection:
            connection.execute(
                "DELETE FROM verdicts WHERE query_track IS ? AND query_image IS ? AND track_id = ?",
                (*key, crop.track_id),
            )
            if same is not None:
                try:
                    connection.execute(
                        "INSERT INTO verdicts (query_track, query_image, track_id, crop_id, same, judged_at) "
                        "VALUES (?, ?, ?, ?, ?, ?)",
                        (*key, crop.track_id, crop.id, int(same), time.time()),
                    )
                except sqlite3.IntegrityError as error:
                    raise SiteError("The clip of this person was removed meanwhile; search again.") from error
        return before

    def verdicts(self, subject: Subject) -> list[Verdict]:
        """Return the verdicts on possible matches of ``subject``, oldest first."""
        _check(subject)
        rows = self._database.rows(
            "SELECT track_id, crop_id, same, judged_at FROM verdicts "
            "WHERE query_track IS ? AND query_image IS ? ORDER BY judged_at, track_id",
            (subject.track_id, subject.image),
        )
        return [Verdict(track, crop, bool(same), judged_at) for track, crop, same, judged_at in rows]

    def count_verdicts(self) -> int:
        """Return how many verdicts the site holds."""
        (count,) = self._database.row("SELECT count(*) FROM verdicts")
        return int(count)


def _check(subject: Subject) -> None:
    if (subject.track_id is None) == (subject.image is None):
        raise ValueError("a subject is a track or a picture")
