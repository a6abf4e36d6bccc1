"""``reid-desk doctor [SITE]``: what is installed, which devices, is the site sound."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_desk import __version__
from reid_desk.cli.answer import Answer, Commands, add_json_option

if TYPE_CHECKING:
    from reid_desk.site import Site

_PACKAGES = (
    *("torch", "torchvision", "timm", "accelerate", "onnx", "onnxruntime", "onnxruntime-gpu", "faiss-cpu"),
    *("opencv-python", "av", "scikit-learn", "sqlite-utils", "PySide6-Essentials", "pyqtgraph"),
    *("safetensors", "numpy", "pillow", "trackers"),
)
_ONNXRUNTIMES = {"onnxruntime", "onnxruntime-gpu"}
_LITTLE_SPACE = 5 * 2**30
"""Bytes below which a run of adaptation may not find room for its checkpoints."""
_PATIENCE = 120


def add(commands: Commands[Any]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser("doctor", help="what is installed, which devices, is the site sound")
    parser.add_argument("site", metavar="SITE", type=Path, nargs="?", help="a site's folder to check as well")
    parser.add_argument("--probe", choices=tuple(_PROBES), help=argparse.SUPPRESS)
    add_json_option(parser)
    parser.set_defaults(run=run)


def run(parsed: argparse.Namespace) -> Answer:
    """Look at everything; exit code 2 if there is a problem."""
    if parsed.probe:
        return Answer(_PROBES[parsed.probe]())
    problems: list[str] = []
    site = check_site(parsed.site, problems) if parsed.site is not None else None
    document: dict[str, Any] = {
        "reid_desk": __version__,
        "python": platform.python_version(),
        "system": platform.platform(),
        "packages": _packages(problems),
        "devices": _devices(problems),
        "window": _window(problems),
    }
    if site is not None:
        document["site"] = site
    document["disk_free"] = _disk_free(parsed.site or Path.cwd(), problems)
    document["problems"] = problems
    return Answer(document, _told(document), 2 if problems else 0)


def check_site(path: Path, problems: list[str]) -> dict[str, Any]:
    """Count what a site holds and add what is wrong with it to ``problems``; change nothing.

    Raises:
        SiteError: there is no site.
    """
    from reid_desk.jobs.runs import cut_off_runs  # noqa: PLC0415 - numpy
    from reid_desk.site import Site  # noqa: PLC0415 - as above

    with Site.open(path) as site:
        problems += [f"database: {line}" for line in site.problems()]
        interrupted = [run.id for run in cut_off_runs(site)]
        _check_clips(site, problems)
        _check_models(site, problems)
        _check_sources(site, problems)
        model = site.current_model()
        unseen = len(site.missing_vectors(model.id)) if model else 0
        if model and unseen:
            problems.append(
                f"{unseen:,} crops cannot be found, model {model.id} has not seen them yet: run reid-desk use {path} "
                f"{model.id}"
            )
        return {
            "path": str(site.path),
            "cameras": len(site.cameras()),
            "clips": len(site.clips()),
            "crops": site.count_crops(),
            "models": len(site.models()),
            "current_model": model.id if model else None,
            "crops_without_vector": unseen if model else None,
            "interrupted_runs": interrupted,
        }


def _check_clips(site: Site, problems: list[str]) -> None:
    from reid_desk.jobs.runs import CUT_OFF, cut_off_clips  # noqa: PLC0415 - numpy

    problems += [f"clip {clip.id} of {clip.camera}: {CUT_OFF}" for clip in cut_off_clips(site)]
    for clip in site.clips():
        if not Path(clip.path).exists():
            problems.append(f"clip {clip.id} of {clip.camera}: its footage is missing ({clip.path})")
        elif clip.state == "failed":
            problems.append(f"clip {clip.id} of {clip.camera} was not imported: {clip.message}")


def _check_models(site: Site, problems: list[str]) -> None:
    from reid_desk.cli.model_commands import checked_sha256  # noqa: PLC0415 - only here
    from reid_desk.errors import ModelError  # noqa: PLC0415 - only here

    for model in site.models():
        try:
            checked_sha256(model)
        except ModelError as error:
            problems.append(str(error))


def _check_sources(site: Site, problems: list[str]) -> None:
    for source in [*site.sources(role="source"), *site.sources(role="evaluation")]:
        if not Path(source.path).is_dir():
            problems.append(f"source {source.name}: its images are missing ({source.path})")


def _packages(problems: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in _PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            if name not in _ONNXRUNTIMES:
                problems.append(f"the package {name} is not installed")
    if not _ONNXRUNTIMES & found.keys():
        problems.append("the package onnxruntime is not installed")
    return found


def _probe_devices() -> dict[str, Any]:
    import onnxruntime  # noqa: PLC0415 - only in a process of its own
    import torch  # noqa: PLC0415 - only in a process of its own

    return {
        "cuda": [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())],
        "threads": torch.get_num_threads(),
        "onnxruntime": onnxruntime.get_available_providers(),
    }


def _probe_window() -> dict[str, Any]:
    from reid_desk.ui.start_qt import start_qt  # noqa: PLC0415 - only in a process of its own

    return {"platform": start_qt().platformName()}


_PROBES = {"devices": _probe_devices, "window": _probe_window}


def _ask(probe: str, environment: dict[str, str] | None = None) -> tuple[dict[str, Any], str]:
    """What a probe found, or why it failed. A broken driver or plugin may end the process that asks it."""
    command = [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "reid_desk"]
    try:
        done = subprocess.run(  # noqa: S603 - our own program
            [*command, "doctor", "--json", "--probe", probe],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            env={**os.environ, **(environment or {})},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return {}, f"no answer within {_PATIENCE} seconds"
    if done.returncode:
        return {}, _last_line(done.stderr) or f"ended with code {done.returncode}"
    found: dict[str, Any] = json.loads(done.stdout)
    return found, ""


def _devices(problems: list[str]) -> dict[str, Any]:
    devices, failure = _ask("devices")
    if failure:
        problems.append(f"torch or ONNX Runtime does not start: {failure}")
    return devices


def _window(problems: list[str]) -> str:
    from reid_desk.cli.desk_command import has_display  # noqa: PLC0415 - only here

    display = has_display()
    _, failure = _ask("window", {} if display else {"QT_QPA_PLATFORM": "offscreen"})
    if failure:
        problems.append(f"the window system does not start: {failure}")
        return "broken"
    return "ready" if display else "no display"


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].removeprefix("reid-desk: error: ") if lines else ""


def _disk_free(path: Path, problems: list[str]) -> int:
    free = shutil.disk_usage(path).free
    if free < _LITTLE_SPACE:
        problems.append(f"only {free / 2**30:.1f} GiB are free on the disk of {path}")
    return free


def _told(document: dict[str, Any]) -> str:
    devices = document["devices"]
    lines = [
        f"ReID Desk {document['reid_desk']}, Python {document['python']}, {document['system']}",
        "Packages: " + ", ".join(f"{name} {version}" for name, version in document["packages"].items()),
        "GPU: " + (", ".join(devices.get("cuda", [])) or "none; adapting runs on the processor"),
        "ONNX Runtime: " + ", ".join(devices.get("onnxruntime", [])),
        f"Window: {document['window']}",
        f"Disk: {document['disk_free'] / 2**30:.1f} GiB free",
    ]
    if "site" in document:
        lines += [f"Site {document['site']['path']}:"]
        lines += [
            f"  {name.replace('_', ' ')}: {_in_words(value)}" for name, value in document["site"].items()
        ][1:]
    lines += [f"PROBLEM: {problem}" for problem in document["problems"]]
    return "\n".join([*lines, *([] if document["problems"] else ["No problems found."])])


def _in_words(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return "none" if value is None else str(value)
