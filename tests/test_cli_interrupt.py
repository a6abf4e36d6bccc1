from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reid_desk.site import Site
from tests.jobs.sites import write_clip

ROOT = Path(__file__).parents[1]


@pytest.fixture
def importing(tmp_path: Path):
    """An import of a long clip, caught while it works."""
    clip = write_clip(tmp_path / "long.mp4", seconds=60)
    process = subprocess.Popen(
        [sys.executable, "-m", "reid_desk", "import", tmp_path / "site", clip, "--camera", "a"],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("Clip 1 of 1"):
            break
    yield process
    process.kill()
    process.communicate()


def test_ctrl_c_stops_politely_and_leaves_the_site_sound(importing: subprocess.Popen[str], tmp_path: Path):
    importing.send_signal(signal.SIGINT)
    out, err = importing.communicate(timeout=120)
    assert importing.returncode == 130
    assert out == ""
    assert err.splitlines()[-1] == "reid-desk: error: interrupted; what was done so far is kept."
    with Site.open(tmp_path / "site") as site:
        assert site.problems() == []
        assert site.clips() == []
        assert site.runs()[0].state == "cancelled"


def test_ctrl_c_while_modules_are_loaded_is_told_in_a_line():
    # Interrupted at the very first module that the command line needs.
    program = (
        "import sys\n"
        "class Interrupts:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name == 'reid_desk.cli': raise KeyboardInterrupt\n"
        "sys.meta_path.insert(0, Interrupts())\n"
        "from reid_desk.__main__ import main\n"
        "sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 130
    assert done.stderr == "reid-desk: error: interrupted; nothing was done.\n"
