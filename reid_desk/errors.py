"""Errors a user can mend. Everything else propagates as it is."""

from __future__ import annotations


class ReidDeskError(Exception):
    """Something a user can mend.

    The message is one line that says what happened, why, and what to do next. The command line prints it
    and exits with code 2; the window shows it as it is.
    """


class SiteError(ReidDeskError):
    """A site folder is missing, broken, in use by another desk, or too new for this version."""


class FootageError(ReidDeskError):
    """Footage cannot be read, or holds nothing that can be imported."""


class ModelError(ReidDeskError):
    """A model file is missing, damaged, or no embedding network."""


class SourceError(ReidDeskError):
    """A labelled data set cannot be read or cannot be learnt from."""


def printable(text: object) -> str:
    """``text`` as it may be printed and stored: bytes of a file name that are not UTF-8 become escapes."""
    return str(text).encode("utf-8", "backslashreplace").decode()


class JobCancelled(Exception):  # noqa: N818 - an outcome, not a fault
    """The operator asked the job to stop; what it had done so far is kept."""
