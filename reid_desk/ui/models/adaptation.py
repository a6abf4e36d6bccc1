"""Folds the events of an adaptation into what its three stages show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from reid_desk.jobs.events import Cancelled, Event, Failed, Finished, Hello, Image, Metric, Phase, Progress

STAGES = ("style_transfer", "pretraining", "adaptation")
_STAGE_OF_PHASE = {"style_transfer": 0, "translate": 0, "pretraining": 1, "source_only": 1, "adaptation": 2}
_PLOTTED = (
    ("generator", "discriminator", "siamese"),
    ("loss", "identity", "triplet"),
    ("loss", "identity", "attraction"),
)
_LONGEST = 2_000


class Series:
    """The values of one figure, thinned out evenly as it grows: never more than 2,000 points."""

    def __init__(self) -> None:
        self.places: list[float] = []
        self.values: list[float] = []
        self._count = 0
        self._every = 1

    def add(self, value: float) -> None:
        """Note the next value."""
        if self._count % self._every == 0:
            self.places.append(float(self._count))
            self.values.append(value)
        self._count += 1
        if len(self.values) > _LONGEST:
            self.places, self.values = self.places[::2], self.values[::2]
            self._every *= 2


@dataclass
class Stage:
    """One of the three stages.

    Attributes:
        state: ``waiting``, ``running``, ``finished``, ``failed`` or ``cancelled``.
        phase: what it does now, in words.
        done, total: steps of that phase.
        figures: the latest value of each figure.
        series: the figures that are plotted, by name.
    """

    plotted: tuple[str, ...]
    state: str = "waiting"
    phase: str = ""
    done: int = 0
    total: int | None = None
    figures: dict[str, float] = field(default_factory=dict)
    series: dict[str, Series] = field(default_factory=dict)


class Adaptation:
    """One run as its events tell it.

    Attributes:
        stages: the three of them.
        phase: the phase that the run is in, in words.
        images: where the latest preview of each name lies.
        clusters: number of clusters after each clustering of the third stage.
        noise: number of crops in no cluster, likewise.
    """

    def __init__(self) -> None:
        self.stages = tuple(Stage(plotted) for plotted in _PLOTTED)
        self.phase = ""
        self.images: dict[str, Path] = {}
        self.clusters = Series()
        self.noise = Series()
        self._current: Stage | None = None
        self._comparing = False  # a comparison model is trained: its losses belong to no stage

    def take(self, event: Event) -> None:
        """Take in one event."""
        match event:
            case Phase(name=name, text=text):
                self._enter(name, text)
            case Progress(done=done, total=total) if self._current is not None:
                self._current.done, self._current.total = done, total
            case Metric(values=values):
                self._note(values)
            case Image(name=name, path=path):
                self.images[name] = Path(path)
            case Finished():
                self._end(lambda _: "finished")
            case Failed():
                self._end(lambda stage: "failed" if stage.state == "running" else stage.state)
            case Cancelled():
                self.stop()
            case Hello():
                pass

    def stop(self) -> None:
        """Note that the run stopped before it was done."""
        self._end(lambda stage: "cancelled" if stage.state == "running" else stage.state)

    def _enter(self, name: str, text: str) -> None:
        self.phase = text
        self._comparing = name == "source_only"
        number = _STAGE_OF_PHASE.get(name)
        if number is None:
            self._leave(name)
            return
        for earlier in self.stages[:number]:
            earlier.state = "finished"
        self._current = self.stages[number]
        self._current.state, self._current.phase = "running", text
        self._current.done, self._current.total = 0, None

    def _leave(self, name: str) -> None:
        """A phase outside the stages begins: after the third one, it is done."""
        last = self.stages[-1]
        if self._current is last and name in ("export", "embed", "evaluate"):
            last.state = "finished"
        self._current = None

    def _note(self, values: dict[str, float | None]) -> None:
        stage = self._current
        if stage is None or self._comparing:
            return
        finite = {name: value for name, value in values.items() if value is not None}
        stage.figures.update(finite)
        for name in stage.plotted:
            if name in finite:
                stage.series.setdefault(name, Series()).add(finite[name])
        if stage is self.stages[-1] and "clusters" in finite:
            self.clusters.add(finite["clusters"])
            self.noise.add(finite.get("noise", 0.0))

    def _end(self, state_of: Callable[[Stage], str]) -> None:
        for stage in self.stages:
            stage.state = state_of(stage)
        self._current = None
