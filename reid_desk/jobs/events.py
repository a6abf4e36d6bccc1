"""What a worker tells the desk: one JSON object a line, the same on its stdout and in ``events.jsonl``.

    {"event": "hello", "time": 1763820000.1, "pid": 4711, "kind": "adapt", "run": "20261122-141709-adapt"}
    {"event": "phase", "time": ..., "name": "style_transfer", "text": "Stage 1: style transfer"}
    {"event": "progress", "time": ..., "done": 12, "total": 400}

The first event is ``hello``, the last one of ``finished``, ``failed`` and ``cancelled``. The other way, on
the worker's stdin, a line is ``{"command": "cancel"}``, ``"pause"`` or ``"resume"``. A reader takes what it
knows and skips what it does not, so that either side may be newer.
"""

from __future__ import annotations

import json
import math
import time as clock
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, ClassVar, Literal, get_args

Category = Literal["input", "memory", "disk", "crash"]
Command = Literal["cancel", "pause", "resume"]


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something a worker told; ``time`` is in seconds since the epoch."""

    name_on_wire: ClassVar[str] = ""
    time: float = field(default_factory=clock.time)


@dataclass(frozen=True)
class Hello(Event):
    """The worker is there; ``run`` is the run it works on (``None`` if it could not even begin one)."""

    name_on_wire: ClassVar[str] = "hello"
    pid: int
    kind: str
    run: str | None = None


@dataclass(frozen=True)
class Phase(Event):
    """A new part of the work: ``name`` for programs, ``text`` for people."""

    name_on_wire: ClassVar[str] = "phase"
    name: str
    text: str


@dataclass(frozen=True)
class Progress(Event):
    """``done`` of ``total`` steps of the current phase; ``None`` where the total is not known."""

    name_on_wire: ClassVar[str] = "progress"
    done: int
    total: int | None = None


@dataclass(frozen=True)
class Metric(Event):
    """Named figures of the current phase, at most ten events a second (the latest value of each name).

    A figure that is not finite comes as ``None``.
    """

    name_on_wire: ClassVar[str] = "metric"
    values: dict[str, float | None]


@dataclass(frozen=True)
class Image(Event):
    """A preview was written to ``path``."""

    name_on_wire: ClassVar[str] = "image"
    name: str
    path: str


@dataclass(frozen=True)
class Message(Event):
    """One line for the log; ``level`` is ``info`` or ``warning``."""

    name_on_wire: ClassVar[str] = "message"
    text: str
    level: str = "info"


@dataclass(frozen=True)
class Paused(Event):
    """The work stands still until it is told to resume."""

    name_on_wire: ClassVar[str] = "paused"


@dataclass(frozen=True)
class Resumed(Event):
    """The work goes on after a pause."""

    name_on_wire: ClassVar[str] = "resumed"


@dataclass(frozen=True)
class Finished(Event):
    """The job is done; ``result`` is what it found or made."""

    name_on_wire: ClassVar[str] = "finished"
    result: dict[str, Any]


@dataclass(frozen=True)
class Failed(Event):
    """The job could not be done.

    Attributes:
        message: what happened and why, in one line.
        hint: what to do next; may be empty where the message says it.
        category: whose fault it is: ``input``, ``memory``, ``disk``, or ``crash`` (ours).
        details: the traceback of a crash, else empty.
    """

    name_on_wire: ClassVar[str] = "failed"
    message: str
    hint: str = ""
    category: Category = "crash"
    details: str = ""


@dataclass(frozen=True)
class Cancelled(Event):
    """The job stopped because it was asked to; what it had done is kept."""

    name_on_wire: ClassVar[str] = "cancelled"


LAST = (Finished, Failed, Cancelled)
_BY_NAME: dict[str, type[Event]] = {
    kind.name_on_wire: kind
    for kind in (Hello, Phase, Progress, Metric, Image, Message, Paused, Resumed, Finished, Failed, Cancelled)
}


def format_event(event: Event) -> str:
    """One line of strict JSON, without its line end. Figures that are not finite become ``null``."""
    data = {"event": event.name_on_wire, **asdict(event)}
    try:
        return json.dumps(data, allow_nan=False, separators=(",", ":"))
    except ValueError:
        return json.dumps(_finite(data), allow_nan=False, separators=(",", ":"))


def parse_event(line: str | bytes) -> Event | None:
    """The event of one line, or ``None`` for anything else (a library's print, a newer worker's event)."""
    data = _json_object(line)
    kind = _BY_NAME.get(str(data.get("event")))
    if kind is None:
        return None
    known = {field.name for field in fields(kind)}
    try:
        return kind(**{name: value for name, value in data.items() if name in known})
    except TypeError:
        return None


def read_events(path: Path) -> Iterator[Event]:
    """The events of an ``events.jsonl``, oldest first; nothing if there is no such file.

    A line cut off by a crash is skipped.
    """
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            event = parse_event(line)
            if event is not None:
                yield event


def format_command(command: Command) -> str:
    """One line for a worker's stdin, with its line end."""
    return json.dumps({"command": command}) + "\n"


def parse_command(line: str | bytes) -> Command | None:
    """The command of one line of stdin, or ``None`` for anything else."""
    command = _json_object(line).get("command")
    return command if command in get_args(Command) else None


def _json_object(line: str | bytes) -> dict[str, Any]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _finite(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
