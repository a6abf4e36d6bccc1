"""A reporter that remembers, for tests."""

from __future__ import annotations

from reid_desk.jobs.control import Control
from reid_desk.jobs.events import Event, Message, Phase
from reid_desk.jobs.reporters import EventReporter


class Recording(EventReporter):
    def __init__(self, control: Control | None = None, *, interval: float = 0.0) -> None:
        super().__init__(control, interval=interval)
        self.events: list[Event] = []

    def deliver(self, event: Event) -> None:
        self.events.append(event)

    @property
    def kinds(self) -> list[str]:
        return [event.name_on_wire for event in self.events]

    @property
    def phases(self) -> list[str]:
        return [event.name for event in self.events if isinstance(event, Phase)]

    @property
    def messages(self) -> list[str]:
        return [event.text for event in self.events if isinstance(event, Message)]
