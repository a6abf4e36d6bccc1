"""What a command answers, and how times and tables look in it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

# What a time says that no calendar shows; sites refuse it, but older ones may hold clips of such a start.
_NO_DATE = (OverflowError, ValueError, OSError)

Commands = argparse._SubParsersAction  # what add_subparsers returns; argparse gives it no public name


@dataclass(frozen=True)
class Answer:
    """The outcome of a command.

    Attributes:
        document: for ``--json``.
        text: for people.
        code: the exit code.
        afterwards: what is done once the answer is printed; returns the exit code in place of ``code``.
    """

    document: Mapping[str, Any] | Sequence[Any] = field(default_factory=dict)
    text: str = ""
    code: int = 0
    afterwards: Callable[[], int] | None = None

    def as_json(self) -> str:
        """The document as JSON, indented."""
        return json.dumps(self.document, indent=2, ensure_ascii=False)


def add_json_option(parser: argparse.ArgumentParser) -> None:
    """Give a command the option ``--json``."""
    parser.add_argument("--json", action="store_true", help="print one JSON document and nothing else")


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """Columns as wide as their widest cell; numbers to the right."""
    cells = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(head), *cells]) for i in range(len(head))]
    to_right = [bool(rows) and all(isinstance(row[i], int | float) for row in rows) for i in range(len(head))]

    def line(row: Sequence[str]) -> str:
        padded = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(row, widths, to_right, strict=True)
        )
        return "  ".join(padded).rstrip()

    return "\n".join([line(head), *map(line, cells)])


def moment(text: str) -> float:
    """What a user gives as a time, local unless it names an offset, as seconds since the epoch.

    Raises:
        argparse.ArgumentTypeError: it is no time.
    """
    try:
        return datetime.fromisoformat(text).astimezone().timestamp()
    except (ValueError, OverflowError) as error:
        raise argparse.ArgumentTypeError(f"{text!r} is no time; write it as 2026-11-22T14:05:00") from error


def local_time(seconds: float) -> str:
    """Seconds since the epoch as date and time of this machine's time zone."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M:%S}"
    except _NO_DATE:
        return f"{seconds:.0f} s"


def utc_time(seconds: float) -> str:
    """Seconds since the epoch as ISO 8601 in UTC."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except _NO_DATE:
        return f"{seconds:.0f} s"


def position(seconds: float) -> str:
    """A place in a clip as ``h:mm:ss.t``."""
    minutes, rest = divmod(max(seconds, 0.0), 60)
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{rest:04.1f}"


def percent(value: float) -> str:
    """A fraction as percent with one decimal."""
    return f"{100 * value:.1f} %"
