"""One command from a fresh checkout: make an environment, install the locked versions, run something in it.

    python packaging/run.py demo [--headless ...]    the demo site, in the window (without a display: without)
    python packaging/run.py test [pytest arguments]  the tests
    python packaging/run.py check                    lint, types, import contracts
    python packaging/run.py reid-desk ...            any command of the desk
    python packaging/run.py training ...             the three stages without the desk

Needs Python 3.11 or newer and nothing else. The environment lies in ``.venv`` beside this checkout's README and is
made once; it is renewed when the locked versions change.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = ROOT / ".venv"
SCRIPTS = ENVIRONMENT / ("Scripts" if os.name == "nt" else "bin")
PYTHON = SCRIPTS / ("python.exe" if os.name == "nt" else "python")
LOCKS = {
    "run": ROOT / "packaging" / "requirements.txt",
    "development": ROOT / "packaging" / "requirements-dev.txt",
}
MODULES = {"reid-desk": "reid_desk", "training": "training"}
# What Qt's X11 plugin and a virtual display need of a Debian or Ubuntu that has neither.
DEBIAN_WINDOW = [
    *("libegl1", "libgl1", "libdbus-1-3", "libfontconfig1", "libxkbcommon-x11-0", "libxcb-cursor0"),
    *("libxcb-icccm4", "libxcb-image0", "libxcb-keysyms1", "libxcb-randr0", "libxcb-render-util0"),
    *("libxcb-shape0", "libxcb-xinerama0", "fonts-dejavu-core"),
]
DEBIAN_TESTS = [*DEBIAN_WINDOW, "xvfb", "xdotool"]


def main(arguments: list[str]) -> int:
    """Run the command; the exit status is its."""
    command, rest = (arguments or ["help"])[0], arguments[1:]
    if sys.version_info < (3, 11):
        print(f"ReID Desk needs Python 3.11 or newer; this is {sys.version.split()[0]}", file=sys.stderr)
        return 2
    if command == "demo":
        install("run")
        system_packages(DEBIAN_WINDOW, "QtGui")
        return run("-m", "reid_desk", "demo", *rest, folder=Path.cwd())
    if command in MODULES:
        install("run")
        return run("-m", MODULES[command], *rest, folder=Path.cwd())
    if command == "test":
        install("development")
        system_packages(DEBIAN_TESTS, "QtGui", "Xvfb", "xdotool")
        return run("-m", "pytest", *rest)
    if command == "check":
        install("development")
        checks = (
            ("-m", "ruff", "check", "."),
            ("-m", "ruff", "format", "--check", "."),
            ("-m", "mypy"),
            ("-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"),
        )
        return max(run(*check) for check in checks)
    print(__doc__, file=sys.stderr)
    return 0 if command in ("help", "-h", "--help") else 2


def install(kind: str) -> None:
    """Make or renew the environment with the versions locked for ``kind``."""
    lock = LOCKS[kind]
    wanted = hashlib.sha256(lock.read_bytes() + (ROOT / "pyproject.toml").read_bytes()).hexdigest()
    stamp = ENVIRONMENT / f"installed-{kind}.txt"
    if stamp.exists() and stamp.read_text() == wanted and PYTHON.exists():
        return
    print(f"Installing into {ENVIRONMENT} (about 6 GB with PyTorch; once) ...", file=sys.stderr, flush=True)
    if not PYTHON.exists():
        venv.create(ENVIRONMENT, with_pip=True, clear=True)
    quiet = [] if sys.stderr.isatty() else ["--quiet"]
    checked(PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "uv")
    checked(PYTHON, "-m", "uv", "pip", "install", *quiet, "--python", PYTHON, "--require-hashes", "-r", lock)
    checked(PYTHON, "-m", "uv", "pip", "install", *quiet, "--python", PYTHON, "--no-deps", "--editable", ROOT)
    stamp.write_text(wanted)


def system_packages(packages: list[str], qt_module: str, *programs: str) -> None:
    """On Linux, see that the window's libraries are there: install them as root on Debian, else say how."""
    if sys.platform != "linux":
        return
    probe = [PYTHON, "-c", f"import PySide6.{qt_module}, ctypes; ctypes.CDLL('libxcb-cursor.so.0')"]
    found = subprocess.run(probe, capture_output=True, check=False).returncode == 0
    if found and all(shutil.which(program) for program in programs):
        return
    apt = shutil.which("apt-get")
    if apt and os.geteuid() == 0:
        environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
        for step in (
            [apt, "update", "-qq"],
            [apt, "install", "-y", "-qq", "--no-install-recommends", *packages],
        ):
            subprocess.run(step, check=False, env=environment, stdout=subprocess.DEVNULL)
        return
    print(
        "The window needs some libraries of the system, which only its administrator can install; on Debian and "
        f"Ubuntu: sudo apt-get install {' '.join(packages)}",
        file=sys.stderr,
    )


def run(*arguments: str, folder: Path = ROOT) -> int:
    """Run Python of the environment with ``arguments`` in ``folder``; its exit status.

    Ctrl-C reaches it too: it stops in its own time, saving what is done, and is waited for.
    """
    process = subprocess.Popen([PYTHON, *arguments], cwd=folder)
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def checked(*command: str | Path) -> None:
    """Run ``command`` or end here with its status."""
    status = subprocess.run(command, cwd=ROOT, check=False).returncode
    if status:
        print("Installing failed; the lines above say why. Run the command again to go on.", file=sys.stderr)
        sys.exit(status)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        print("Interrupted. Run the command again to go on.", file=sys.stderr)
        sys.exit(130)
