"""The real worker with work of its own in place of a job: ``fake_worker.py NAME job.json``."""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from reid_desk.jobs import run as run_module
from reid_desk.jobs import worker
from reid_desk.jobs.reporters import EventReporter


def steps(_site: Any, run: Any, arguments: dict[str, Any], reporter: EventReporter) -> dict[str, Any]:
    """Count until cancelled, or to ``arguments["steps"]``; keep the count in the run's folder."""
    reporter.phase("count", "Counting")
    total = int(arguments.get("steps", 10**9))
    for done in range(1, total + 1):
        reporter.check_cancelled()
        (run.folder / "count.txt").write_text(str(done))
        reporter.progress(done, total)
        time.sleep(0.005)
    return {"steps": total}


def chatter(_site: Any, _run: Any, _arguments: dict[str, Any], reporter: EventReporter) -> dict[str, Any]:
    """Print to everything that is called stdout."""
    sys.stdout.write("a library prints\n")
    os.write(1, b"native code prints\n")
    os.system("echo a child process prints")
    reporter.message("work")
    return {}


def crash(*_: Any) -> dict[str, Any]:
    """Fail by our own fault."""
    raise ZeroDivisionError("division by zero")


def memory(*_: Any) -> dict[str, Any]:
    """Run out of memory."""
    raise MemoryError


def die(*_: Any) -> dict[str, Any]:
    """End as a crash in native code does."""
    os._exit(139)


if __name__ == "__main__":
    chosen = {"steps": steps, "chatter": chatter, "crash": crash, "memory": memory, "die": die}[sys.argv[1]]
    run_module._work_of = lambda _kind: chosen
    sys.exit(worker.main(sys.argv[2:]))
