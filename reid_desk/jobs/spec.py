"""What a job is to do: one small file that the desk writes and a worker reads."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from reid_desk.errors import ReidDeskError

KINDS = ("import", "embed", "adapt", "evaluate", "demo")


@dataclass(frozen=True)
class JobSpec:
    """A job, as plain data that fits into JSON.

    Attributes:
        kind: one of :data:`KINDS`; a module of this package does each.
        site: the site's folder.
        arguments: what this kind takes; a missing one (or ``None``) means its default.

            ============  ==================================================================================
            ``import``    ``paths`` (list), ``camera`` (name); ``detector`` ``"motion"|"yolox"``,
                          ``detector_weights`` (file), ``started_at`` (seconds since the epoch, for one clip
                          only), ``fps`` (frames a second to analyse), ``frames_fps`` (of folders of frames; 25)
            ``embed``     ``model`` (id; the current one), ``use`` (search with it when all is embedded)
            ``adapt``     ``source`` (name; the site's only one), ``preset`` (by the device), ``seed``,
                          ``evaluation`` (``{"name", "path"}`` to measure the gain on; the site's set),
                          ``resume`` (go on with ``run_id``, or else the newest run that did not finish)
            ``evaluate``  ``model`` (id; the current one), ``data`` (folder; the site's evaluation set)
            ``demo``      ``preset`` (``smoke``), ``seed`` (0), ``resume``
            ============  ==================================================================================
        run_id: a run of the site to carry out or to go on with; ``None`` starts a new one.
    """

    kind: str
    site: str
    arguments: dict[str, Any] = field(default_factory=dict)
    run_id: str | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ReidDeskError(
                f"There is no job of the kind {self.kind!r}; the kinds are {', '.join(KINDS)}."
            )

    def as_dict(self) -> dict[str, Any]:
        """The job as JSON knows it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> JobSpec:
        """The inverse of :meth:`as_dict`.

        Raises:
            ReidDeskError: if ``data`` does not describe a job.
        """
        kind, site = data.get("kind"), data.get("site")
        arguments, run_id = data.get("arguments") or {}, data.get("run_id")
        if not isinstance(kind, str) or not isinstance(site, str) or not isinstance(arguments, dict):
            raise ReidDeskError("A job needs a kind, a site and arguments; this one is incomplete.")
        return cls(kind, site, arguments, None if run_id is None else str(run_id))

    def write(self, path: Path) -> Path:
        """Write the job to ``path`` and return it."""
        path.write_text(json.dumps(self.as_dict(), indent=1), encoding="utf-8")
        return path

    @classmethod
    def read(cls, path: Path) -> JobSpec:
        """Read a job file.

        Raises:
            ReidDeskError: if the file is missing or is no job.
        """
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ReidDeskError(f"The job file {path} cannot be read: {error}.") from error
        if not isinstance(data, dict):
            raise ReidDeskError(f"The job file {path} holds no job.")
        return cls.from_dict(data)


def seed_of(arguments: Mapping[str, Any]) -> int:
    """The seed among the arguments of a job; 0 where none is given.

    Raises:
        ReidDeskError: it is no seed.
    """
    seed = arguments.get("seed")
    if seed is None:
        return 0
    if not isinstance(seed, int) or seed < 0:
        raise ReidDeskError(f"The seed cannot be {seed}. Give a whole number from 0 on.")
    return seed


def worker_command(job_file: Path) -> list[str]:
    """The command that carries out ``job_file`` in a process of its own; program first.

    A frozen build has no ``python -m``: its executable calls itself with the hidden command ``worker``.
    """
    if getattr(sys, "frozen", False):
        return [sys.executable, "worker", str(job_file)]
    return [sys.executable, "-m", "reid_desk.jobs.worker", str(job_file)]
