"""Numbers, times and states in words."""

from __future__ import annotations

from datetime import UTC, datetime

from PySide6.QtCore import QCoreApplication, QLocale

NOTHING = "\N{EN DASH}"
"""Stands where a value is not known."""
_MINUTE, _HOUR = 60, 3600
# Cosine likeness has no meaning of its own until a site's own verdicts calibrate it: three coarse bands.
_BANDS = (0.75, 0.55)


def _tr(text: str, n: int = -1) -> str:
    return QCoreApplication.translate("words", text, "", n)


def clips(n: int) -> str:
    """``n`` clips."""
    return QCoreApplication.translate("words", "%Ln clip(s)", "", n)


def crops(n: int) -> str:
    """``n`` crops."""
    return QCoreApplication.translate("words", "%Ln crop(s)", "", n)


def tracks(n: int) -> str:
    """``n`` tracks."""
    return QCoreApplication.translate("words", "%Ln track(s)", "", n)


def cameras(n: int) -> str:
    """``n`` cameras."""
    return QCoreApplication.translate("words", "%Ln camera(s)", "", n)


def images(n: int) -> str:
    """``n`` images."""
    return QCoreApplication.translate("words", "%Ln image(s)", "", n)


def people(n: int) -> str:
    """``n`` people."""
    return QCoreApplication.translate("words", "%Ln people", "", n)


def matches(n: int) -> str:
    """``n`` possible matches."""
    return QCoreApplication.translate("words", "%Ln possible match(es)", "", n)


def queries(n: int) -> str:
    """``n`` queries."""
    return QCoreApplication.translate("words", "%Ln query(s)", "", n)


def left_out(n: int) -> str:
    """``n`` files that were not imported."""
    return QCoreApplication.translate("words", "%Ln file(s) left out", "", n)


def problems(n: int) -> str:
    """``n`` problems of a data set."""
    return QCoreApplication.translate("words", "%Ln problem(s)", "", n)


def epoch(n: int) -> str:
    """The ``n``-th epoch."""
    return _tr("epoch {n}").format(n=number(n))


def accuracy(share: float) -> str:
    """How many of a batch are recognised."""
    return _tr("{share} recognised").format(share=percent(share))


def clusters(n: int) -> str:
    """``n`` clusters."""
    return QCoreApplication.translate("words", "%Ln cluster(s)", "", n)


def number(n: int) -> str:
    """Group the digits as the operator's language does."""
    return QLocale().toString(n)


def percent(share: float) -> str:
    """Write 0..1 as per cent with one decimal."""
    return f"{QLocale().toString(share * 100, 'f', 1)} %"


def duration(seconds: float | None) -> str:
    """Write a clip's length: ``0:42``, ``12:05``, ``1:02:03``."""
    if seconds is None:
        return NOTHING
    whole = round(seconds)
    hours, rest = divmod(whole, _HOUR)
    minutes, last = divmod(rest, _MINUTE)
    return f"{hours}:{minutes:02}:{last:02}" if hours else f"{minutes}:{last:02}"


def time_left(seconds: float | None) -> str:
    """Write a promise that is no finer than it can be kept."""
    if seconds is None:
        return ""
    if seconds < _MINUTE:
        return _tr("less than a minute left")
    if seconds < _HOUR:
        return QCoreApplication.translate("words", "about %n minute(s) left", "", round(seconds / _MINUTE))
    return QCoreApplication.translate("words", "about %n hour(s) left", "", round(seconds / _HOUR))


def spent(seconds: float) -> str:
    """Write how long something took."""
    if seconds < _MINUTE:
        return _tr("less than a minute")
    if seconds < 2 * _HOUR:
        return QCoreApplication.translate("words", "%n minute(s)", "", round(seconds / _MINUTE))
    return QCoreApplication.translate("words", "%n hour(s)", "", round(seconds / _HOUR))


def local_time(when: float) -> str:
    """Write UTC seconds since the epoch in the machine's time zone, to the second."""
    return datetime.fromtimestamp(when, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")


def local_minute(when: float) -> str:
    """Write UTC seconds since the epoch in the machine's time zone, to the minute."""
    return datetime.fromtimestamp(when, UTC).astimezone().strftime("%Y-%m-%d %H:%M")


def started_from(how: str) -> str:
    """Say where a clip's start time comes from."""
    return {
        "given": _tr("as given"),
        "metadata": _tr("from the file's metadata"),
        "file name": _tr("from the file name"),
        "file time": _tr("guessed from the file's date"),
    }.get(how, how)


def verdict(same: bool | None) -> str:
    """Say what was judged of a possible match; nothing if it was not."""
    return {True: _tr("Judged the same person"), False: _tr("Judged a different person"), None: ""}[same]


def judged(same: int, different: int) -> str:
    """Say how many possible matches were judged which way; nothing if none was."""
    parts = []
    if same:
        parts.append(_tr("Same person: {count}").format(count=number(same)))
    if different:
        parts.append(_tr("different: {count}").format(count=number(different)))
    return ", ".join(parts)


def state(name: str) -> str:
    """Say a state of a clip, job or stage."""
    return {
        "waiting": _tr("Waiting"),
        "queued": _tr("Queued"),
        "starting": _tr("Starting"),
        "running": _tr("Running"),
        "importing": _tr("Importing"),
        "imported": _tr("Imported"),
        "pausing": _tr("Pausing"),
        "paused": _tr("Paused"),
        "cancelling": _tr("Stopping, saving its work"),
        "cancelled": _tr("Cancelled"),
        "interrupted": _tr("Interrupted"),
        "finished": _tr("Finished"),
        "failed": _tr("Failed"),
    }[name]


def band(score: float) -> int:
    """Return how strong a likeness is: 3 strong, 2 fair, 1 weak."""
    strong, fair = _BANDS
    return 3 if score >= strong else 2 if score >= fair else 1


def likeness(score: float) -> str:
    """Say how strong a likeness is."""
    return {3: _tr("strong likeness"), 2: _tr("fair likeness"), 1: _tr("weak likeness")}[band(score)]


def band_word(score: float) -> str:
    """Say how strong a likeness is, in one word."""
    return {3: _tr("strong"), 2: _tr("fair"), 1: _tr("weak")}[band(score)]
