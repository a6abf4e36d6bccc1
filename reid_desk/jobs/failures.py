"""Why a job failed, sorted by who can mend it."""

from __future__ import annotations

import errno
import traceback
from collections.abc import Iterator

from reid_desk.errors import JobCancelled, ReidDeskError, printable
from reid_desk.jobs.events import Category, Failed
from training.errors import Cancelled as TrainingCancelled
from training.errors import TrainingError

CANCELLATIONS = (JobCancelled, TrainingCancelled, KeyboardInterrupt)

_HINTS: dict[Category, str] = {
    "input": "",
    "memory": "Close other programs, or choose a smaller preset, then resume the run.",
    "disk": "Free some space on the site's disk, then start the job again; what was saved is kept.",
    "crash": "This is a fault of ReID Desk. Nothing that was saved is lost; please report the details.",
}
# torch, ONNX Runtime and SQLite are understood by their words: none of them need be imported here.
_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "failed to allocate memory",
    "unable to allocate",
    "bad_alloc",
)
_DISK_WORDS = (
    "database or disk is full",
    "no space left on device",
    "disk quota exceeded",
    "not enough space",
)
_READ_ONLY_WORDS = ("readonly database", "read-only file system")
_SHOWN = 60
"""Characters of an overlong name that are told."""
_DISK_ERRNOS = {errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG}


def failure_of(error: BaseException) -> Failed:
    """What to tell of ``error``: a line, a hint, a category, and a traceback if it is our own fault."""
    category = _category(error)
    details = "".join(traceback.format_exception(error)) if category == "crash" else ""
    # A message written for the user says itself what to do next.
    hint = "" if isinstance(error, ReidDeskError | TrainingError) else _HINTS[category]
    return Failed(_message(error, category), hint, category, details)


def _category(error: BaseException) -> Category:
    # What a program reports last is often only a consequence: a full disk while the failure was noted down.
    chain = list(_chain(error))
    if any(_is_disk(link) for link in chain):
        return "disk"
    if any(_is_memory(link) for link in chain):
        return "memory"
    if isinstance(error, ReidDeskError | TrainingError) or _told_by_the_system(error):
        return "input"
    return "crash"


def _message(error: BaseException, category: Category) -> str:
    told = " ".join(printable(error).split()) or type(error).__name__
    if isinstance(error, ReidDeskError | TrainingError):
        return told
    if category == "disk":
        return f"The disk is full ({told})."
    if category == "memory":
        return f"There was not enough memory ({told})."
    return _told_by_the_system(error) or f"{type(error).__name__}: {told}"


def _told_by_the_system(error: BaseException) -> str:
    """What the system says of files that a user can mend, in words; empty for anything else."""
    if isinstance(error, PermissionError):
        return f"{error.filename or 'A file'} may not be read or written. Check its permissions."
    if isinstance(error, OSError) and error.errno == errno.ENAMETOOLONG:
        return f"The name {str(error.filename)[:_SHOWN]}... is too long for a file or folder. Give a shorter one."
    if _says(error, _READ_ONLY_WORDS):
        return f"The site's folder may not be written ({error}). Check its permissions."
    return ""


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    link: BaseException | None = error
    while link is not None and id(link) not in seen:
        seen.add(id(link))
        yield link
        link = link.__cause__ or link.__context__


def _is_disk(error: BaseException) -> bool:
    if isinstance(error, OSError) and error.errno in _DISK_ERRNOS:
        return True
    return _says(error, _DISK_WORDS)


def _is_memory(error: BaseException) -> bool:
    if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
        return True
    return _says(error, _MEMORY_WORDS)


def _says(error: BaseException, words: tuple[str, ...]) -> bool:
    if isinstance(error, ReidDeskError | TrainingError):
        return False
    text = str(error).lower()
    return any(word in text for word in words)
