"""When a clip began, as far as the file tells."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

StartedFrom = Literal["metadata", "file name", "file time"]

# 20240131_235959, 2024-01-31T23-59-59, 2024_01_31_23_59_59, 20240131235959123 (milliseconds), ...Z for UTC
_DATE_AND_TIME = re.compile(
    r"(?<!\d)(?P<year>(?:19|20)\d\d)(?P<s>[-_.]?)(?P<month>\d\d)(?P=s)(?P<day>\d\d)"
    r"(?:[ _T.@-]{0,3}|_at_| at )"
    r"(?P<hour>\d\d)(?P<t>[-_.:h]?)(?P<minute>\d\d)[-_.:m]?(?P<second>\d\d)(?:[._]?(?P<milli>\d{3}))?(?!\d)(?P<utc>Z?)",
    re.IGNORECASE,
)
_DATE = re.compile(r"(?<!\d)(?P<year>(?:19|20)\d\d)[-_.]?(?P<month>\d\d)[-_.]?(?P<day>\d\d)(?!\d)")
# 13.59.59-14.00.59[M].dav in a folder of the day, as Dahua recorders file them
_TIME = re.compile(r"^(?P<hour>\d\d)[-_.](?P<minute>\d\d)[-_.](?P<second>\d\d)(?!\d)")
_EPOCH = re.compile(r"(?<!\d)(?P<seconds>1\d{9})(?P<milli>\d{3})?(?!\d)")
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC).timestamp()  # before that, a recorder with an unset clock
_FIRST = (
    86_400.0  # the day after the epoch: some archives note no time of their files, and no calendar shows less
)
_METADATA_KEYS = ("creation_time", "com.apple.quicktime.creationdate", "date_utc", "DATE_RECORDED")


def guess_start(
    path: Path,
    metadata: Mapping[str, str],
    *,
    modified: float,
    duration: float,
    folder: Path | None = None,
) -> tuple[float, StartedFrom]:
    """UTC seconds since the epoch at which a clip began, and where that is known from.

    The container's metadata comes first, then the file's name (and its ``folder``'s), then the time the file
    was last written (``modified``, UTC seconds) less its ``duration`` in seconds, not before 1970-01-02.
    Times in names are taken as this machine's local time, as recorders write them, unless they end in ``Z``.
    """
    for value in filter(None, (metadata.get(key) for key in _METADATA_KEYS)):
        if (stamp := _from_iso(value)) is not None:
            return stamp, "metadata"
    for name in (path.stem, folder.name if folder else ""):
        if (stamp := _from_name(name)) is not None:
            return stamp, "file name"
    if (stamp := _from_day_folder(path)) is not None:
        return stamp, "file name"
    return max(modified - duration, _FIRST), "file time"


def _from_iso(value: str) -> float | None:
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return _credible(moment if moment.tzinfo else moment.replace(tzinfo=UTC))


def _from_name(name: str) -> float | None:
    if match := _DATE_AND_TIME.search(name):
        return _from_parts(match, match)
    if match := _EPOCH.search(name):
        milliseconds = int(match["milli"] or 0)
        return _credible(datetime.fromtimestamp(int(match["seconds"]) + milliseconds / 1000, tz=UTC))
    return None


def _from_day_folder(path: Path) -> float | None:
    time_of_day = _TIME.match(path.stem)
    if not time_of_day:
        return None
    for parent in list(path.resolve().parents)[:4]:
        if date := _DATE.fullmatch(parent.name):
            return _from_parts(date, time_of_day)
    return None


def _from_parts(date: re.Match[str], clock: re.Match[str]) -> float | None:
    parts = clock.groupdict()
    try:
        year, month, day = (int(date[part]) for part in ("year", "month", "day"))
        hour, minute, second = (int(clock[part]) for part in ("hour", "minute", "second"))
        moment = datetime(year, month, day, hour, minute, second, int(parts.get("milli") or 0) * 1000)
        return _credible(moment.replace(tzinfo=UTC) if parts.get("utc") else moment.astimezone())
    except (ValueError, OverflowError, OSError):
        return None


def _credible(moment: datetime) -> float | None:
    stamp = moment.timestamp()
    tomorrow = time.time() + 86_400
    return stamp if _EARLIEST <= stamp <= tomorrow else None
