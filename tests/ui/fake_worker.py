"""A worker that speaks the protocol and does nothing else; ``behaviour`` among its job's arguments says how.

Runs without the project and without site-packages, so that it starts at once.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path


def tell(event: str, **values: object) -> None:
    sys.stdout.write(json.dumps({"event": event, "time": time.time(), **values}) + "\n")
    sys.stdout.flush()


def wait_for_cancel() -> None:
    for line in sys.stdin:
        if json.loads(line).get("command") == "cancel":
            tell("message", text="saving a checkpoint", level="info")
            tell("cancelled")
            return


def normal(job: dict[str, object]) -> None:
    tell("phase", name="import", text="Clip 1 of 1: a.mp4")
    for done in range(5):
        tell("progress", done=done + 1, total=5)
    tell("finished", result=job["arguments"].get("result") or {"kind": job["kind"], "refused": []})


def replay(job: dict[str, object]) -> None:
    """Tell the events of a file, then wait for a cancel."""
    sys.stdout.write(Path(job["arguments"]["events"]).read_text(encoding="utf-8"))
    sys.stdout.flush()
    wait_for_cancel()


def slow(_job: dict[str, object]) -> None:
    tell("phase", name="style_transfer", text="Learning the look of the site")
    tell("progress", done=1, total=100)
    wait_for_cancel()


def crashing(_job: dict[str, object]) -> None:
    tell("phase", name="a", text="About to fall")
    sys.stderr.write("Traceback: something broke\n")
    sys.stderr.flush()
    os._exit(3)


def killed(_job: dict[str, object]) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def failing(_job: dict[str, object]) -> None:
    tell("failed", message="The disk is full.", hint="Free 2 GB.", category="disk", details="")
    sys.exit(2)


def garbage(_job: dict[str, object]) -> None:
    sys.stdout.buffer.write(b'\xff\xfe not json\n{"event": 7}\n[]\n{"event":"progress"}\n\n\x00\n')
    sys.stdout.flush()
    line = json.dumps({"event": "message", "text": "whole", "level": "info"})
    for part in (line[:9], line[9:], "\n"):
        sys.stdout.write(part)
        sys.stdout.flush()
        time.sleep(0.02)
    sys.stdout.write(json.dumps({"event": "finished", "result": {"end": "without a line end"}}))


def flooding(_job: dict[str, object]) -> None:
    line = json.dumps({"event": "metric", "values": {"loss": 0.5, "epoch": 1}}) + "\n"
    for _ in range(100):
        sys.stdout.write(line * 100)
    tell("finished", result={})


def silent(_job: dict[str, object]) -> None:
    time.sleep(600)


def pausing(_job: dict[str, object]) -> None:
    """Obey every word."""
    tell("phase", name="style_transfer", text="Learning the look of the site")
    tell("progress", done=1, total=100)
    for line in sys.stdin:
        command = json.loads(line)["command"]
        tell({"pause": "paused", "resume": "resumed", "cancel": "cancelled"}[command])
        if command == "cancel":
            return


def stubborn(_job: dict[str, object]) -> None:
    """Ignore every polite word, and have a child that does so too."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    child = subprocess.Popen([sys.executable, "-S", "-c", "import signal, time\n"
                              "signal.signal(signal.SIGTERM, signal.SIG_IGN)\ntime.sleep(600)"])  # fmt: skip
    tell("message", text=str(child.pid), level="info")
    time.sleep(600)


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tell("hello", pid=os.getpid(), kind=given["kind"], run="20261122-100000-test")
    globals()[given["arguments"].get("behaviour", "normal")](given)
