from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reid_desk.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Site.create(tmp_path / "campus") as made:
        yield made
