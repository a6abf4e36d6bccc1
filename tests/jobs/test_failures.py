from __future__ import annotations

import errno

import pytest

from reid_desk.errors import SiteError
from reid_desk.jobs.failures import failure_of
from training.errors import DatasetError


class OutOfMemoryError(RuntimeError):
    """As torch names it."""


@pytest.mark.parametrize(
    ("error", "category"),
    [
        (SiteError("The site has no crops."), "input"),
        (DatasetError("No images."), "input"),
        (PermissionError(errno.EACCES, "Permission denied", "/site/site.db"), "input"),
        (MemoryError(), "memory"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), "memory"),
        (OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB"), "memory"),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried"), "memory"),
        (RuntimeError("std::bad_alloc"), "memory"),
        (OSError(errno.ENOSPC, "No space left on device"), "disk"),
        (RuntimeError("database or disk is full"), "disk"),
        (RuntimeError("PytorchStreamWriter failed: No space left on device"), "disk"),
        (ZeroDivisionError("division by zero"), "crash"),
        (KeyError("identity"), "crash"),
    ],
)
def test_failure_is_sorted_by_who_can_mend_it(error: Exception, category: str):
    failure = failure_of(error)
    assert failure.category == category
    assert failure.message
    assert "\n" not in failure.message


def test_only_a_crash_shows_its_traceback():
    def caught() -> ZeroDivisionError:
        try:
            1 / 0  # noqa: B018
        except ZeroDivisionError as error:
            return error
        raise AssertionError

    failure = failure_of(caught())
    assert "Traceback" in failure.details
    assert "test_failures.py" in failure.details
    assert failure_of(SiteError("x")).details == ""


def test_what_the_user_is_told_is_the_message_as_it_was_written():
    assert failure_of(SiteError("No crops. Import footage.")).message == "No crops. Import footage."


def test_a_full_disk_behind_another_error_is_found():
    def wrapped() -> SiteError:
        try:
            try:
                raise OSError(errno.ENOSPC, "No space left on device")
            except OSError as error:
                raise SiteError("Cannot write the site: the disk is full; free some space.") from error
        except SiteError as error:
            return error

    failure = failure_of(wrapped())
    assert failure.category == "disk"
    assert failure.message == "Cannot write the site: the disk is full; free some space."


def test_several_lines_become_one():
    assert failure_of(RuntimeError("first\n  second")).message == "RuntimeError: first second"
