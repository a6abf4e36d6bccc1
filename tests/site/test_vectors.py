from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from reid_desk.errors import SiteError
from reid_desk.site import Model, Site
from tests.fixtures_model import write_embedder
from tests.site.made_up import add_clip


@pytest.fixture
def model(site: Site, tmp_path: Path) -> Model:
    write_embedder(tmp_path / "made" / "model.onnx")
    return site.add_model(tmp_path / "made", name="made")


def some_vectors(count: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((count, 32)).astype(np.float32)


def test_vectors_come_back_as_float16_in_the_order_of_id(site: Site, model: Model) -> None:
    add_clip(site)
    vectors = some_vectors(4)
    site.store_vectors(model.id, [3, 1, 2, 4], vectors)

    ids, stored = site.vectors(model.id)

    assert ids.tolist() == [1, 2, 3, 4]
    assert stored.dtype == np.float16
    assert np.array_equal(stored, vectors[[1, 2, 0, 3]].astype(np.float16))
    one = site.vector(model.id, 3)
    assert one is not None
    assert np.array_equal(one, stored[2])


def test_missing_vectors_are_those_of_crops_without_one_by_that_model(
    site: Site, model: Model, tmp_path: Path
) -> None:
    add_clip(site)
    other = site.add_model(tmp_path / "made", name="other")
    site.store_vectors(model.id, [2, 3], some_vectors(2))

    assert site.missing_vectors(model.id) == [1, 4]
    assert site.missing_vectors(other.id) == [1, 2, 3, 4]
    assert site.vector(model.id, 1) is None
    assert site.vectors(other.id)[0].tolist() == []


def test_later_vectors_replace_earlier_ones(site: Site, model: Model) -> None:
    add_clip(site)
    site.store_vectors(model.id, [1, 2], some_vectors(2))
    site.store_vectors(model.id, [2, 3], some_vectors(2, seed=1))

    ids, stored = site.vectors(model.id)
    assert ids.tolist() == [1, 2, 3]
    assert np.array_equal(stored[1:], some_vectors(2, seed=1).astype(np.float16))


def test_only_later_crops_can_be_asked_for(site: Site, model: Model) -> None:
    add_clip(site)
    site.store_vectors(model.id, [1, 2, 3], some_vectors(3))
    assert site.vectors(model.id, after=1)[0].tolist() == [2, 3]
    assert site.vectors(model.id, limit=2)[0].tolist() == [1, 2]
    assert site.count_vectors(model.id) == 3
    assert site.count_vectors(model.id, up_to=2) == 2


def test_crops_removed_meanwhile_are_left_out(site: Site, model: Model) -> None:
    add_clip(site, sha256="1")
    gone = add_clip(site, sha256="2")
    site.remove_clip(gone)
    site.store_vectors(model.id, range(1, 9), some_vectors(8))
    assert site.vectors(model.id)[0].tolist() == [1, 2, 3, 4]


def test_vectors_go_with_their_clip(site: Site, model: Model) -> None:
    clip = add_clip(site)
    site.store_vectors(model.id, [1, 2, 3, 4], some_vectors(4))
    site.remove_clip(clip)
    assert len(site.vectors(model.id)[0]) == 0
    assert site.problems() == []


def test_vectors_of_the_wrong_number_or_not_finite_are_refused(site: Site, model: Model) -> None:
    add_clip(site)
    with pytest.raises(ValueError, match="2 crops need as many vectors"):
        site.store_vectors(model.id, [1, 2], some_vectors(3))
    broken = some_vectors(2)
    broken[1, 3] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        site.store_vectors(model.id, [1, 2], broken)
    with pytest.raises(SiteError, match="no model m9"):
        site.store_vectors("m9", [1], some_vectors(1))
    assert len(site.vectors(model.id)[0]) == 0


def test_the_revision_tells_growth_from_rewriting(site: Site, model: Model, tmp_path: Path) -> None:
    site.use_model(model.id)
    start = site.revision()
    assert start.model_id == model.id
    clip = add_clip(site, sha256="1")
    grown = site.revision()
    assert grown.crops > start.crops
    assert (grown.vectors, grown.rewritten) == (start.vectors, start.rewritten)

    site.store_vectors(model.id, [1, 2], some_vectors(2))
    embedded = site.revision()
    assert embedded.vectors > grown.vectors
    assert (embedded.crops, embedded.rewritten) == (grown.crops, grown.rewritten)

    other = site.add_model(tmp_path / "made", name="other")
    site.store_vectors(other.id, [1, 2], some_vectors(2))
    assert site.revision() == embedded

    site.store_vectors(model.id, [2, 3], some_vectors(2))
    replaced = site.revision()
    assert replaced.rewritten > embedded.rewritten

    site.remove_clip(clip)
    assert site.revision().rewritten > replaced.rewritten
    assert site.revision().crops > replaced.crops
