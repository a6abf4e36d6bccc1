"""Write the locked requirements anew: every version with its hashes, and no index host.

python packaging/lock.py        (needs uv)
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
FILES = {"requirements.txt": [], "requirements-dev.txt": ["--group", "dev"]}


def main() -> int:
    """Lock both files; 1 if a host name slipped in."""
    for name, groups in FILES.items():
        command = [
            "uv", "pip", "compile", "pyproject.toml", *groups, "--universal", "--python-version", "3.11",
            "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-header", "--no-annotate",
            "--quiet", "--output-file", str(HERE / name),
        ]  # fmt: skip
        subprocess.run(command, cwd=HERE.parent, check=True)
        if re.search(r"://", (HERE / name).read_text()):
            print(f"{name} names a host", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
