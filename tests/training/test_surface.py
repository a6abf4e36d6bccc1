"""What other programs import from ``training``, and what ``docs/method.md`` promises."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import training

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("name", training.__all__)
def test_every_name_of_the_surface_is_there_and_documented(name: str) -> None:
    thing = getattr(training, name)
    assert thing.__doc__


def test_a_name_that_is_none_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        _ = training.nothing


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, training; sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'timm')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


def test_every_function_that_the_method_s_page_names_exists() -> None:
    page = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    named = set(re.findall(r"`(training(?:\.\w+)+)`", page))
    assert len(named) > 15
    for name in named:
        module, _, attribute = name.rpartition(".")
        try:
            import_module(name)
        except ModuleNotFoundError:
            assert hasattr(import_module(module), attribute), name


def test_the_method_s_page_has_every_equation() -> None:
    page = (ROOT / "docs" / "method.md").read_text(encoding="utf-8")
    cells = " ".join(re.findall(r"^\| ([\d, to]+) \|", page, re.MULTILINE))
    spans = re.findall(r"(\d+) to (\d+)", cells)
    named = {int(number) for number in re.findall(r"\d+", cells)}
    named |= {number for first, last in spans for number in range(int(first), int(last) + 1)}
    assert named >= set(range(1, 21))
