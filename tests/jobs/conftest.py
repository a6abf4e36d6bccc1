from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from reid_desk.site import Site
from tests.fixtures_model import write_embedder
from tests.jobs.sites import add_clip


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """An empty site."""
    with Site.create(tmp_path / "site") as made:
        yield made


@pytest.fixture
def full_site(site: Site) -> Site:
    """A site of two cameras with six people, 36 crops, and no model."""
    add_clip(site, "hall", range(6))
    add_clip(site, "street", range(6))
    return site


@pytest.fixture
def searchable_site(full_site: Site, tmp_path: Path) -> Site:
    """The same with a model in use; nothing is embedded yet."""
    write_embedder(tmp_path / "first" / "model.onnx")
    full_site.use_model(full_site.add_model(tmp_path / "first", name="First").id)
    return full_site
