from __future__ import annotations

from pathlib import Path

import pytest

from reid_desk.errors import SiteError, SourceError
from reid_desk.site import Site
from tests.fixtures_model import write_embedder


def test_sources_are_kept_by_name_and_role(site: Site) -> None:
    learnt = site.add_source("market", Path("sets") / "market", "Market-1501", 751, 6, 12_936)
    tested = site.add_source("own", "sets/own", "folders", 5, 3, 204, role="evaluation")

    assert site.sources() == [learnt]
    assert site.sources("evaluation") == [tested]
    assert site.source("own") == tested
    assert (learnt.path, learnt.layout) == (str(Path("sets") / "market"), "Market-1501")
    assert (learnt.identities, learnt.cameras, learnt.images) == (751, 6, 12_936)
    with pytest.raises(SiteError, match="no source named 'duke'; its sources are: market, own"):
        site.source("duke")


def test_a_name_is_taken_unless_it_is_to_be_replaced(site: Site) -> None:
    first = site.add_source("market", "a", "Market-1501", 1, 2, 3)
    with pytest.raises(SourceError, match="a source named 'market' already"):
        site.add_source("market", "b", "Market-1501", 1, 2, 3)

    replaced = site.add_source("market", "b", "folders", 4, 5, 6, replace=True)
    assert (replaced.id, replaced.path, replaced.images) == (first.id, "b", 6)
    assert site.sources() == [replaced]


def test_models_are_measured_on_the_evaluation_set_added_last(site: Site) -> None:
    site.add_source("market", "a", "folders", 1, 2, 3)
    assert site.evaluation_set() is None
    for name in ("door", "hall", "street"):
        site.add_source(name, name, "folders", 1, 2, 3, role="evaluation")
    assert site.evaluation_set() == site.source("street")
    again = site.add_source("hall", "elsewhere", "folders", 1, 2, 3, role="evaluation", replace=True)
    assert site.evaluation_set() == again


@pytest.mark.parametrize("role", ["source", "evaluation"])
def test_a_source_that_is_removed_is_forgotten_and_its_name_free(site: Site, role: str) -> None:
    site.add_source("market", "a", "folders", 1, 2, 3, role=role)
    kept = site.add_source("own", "b", "folders", 1, 2, 3, role=role)
    site.remove_source("market")
    assert site.sources(role) == [kept]
    with pytest.raises(SiteError, match="no source named 'market'; its sources are: own"):
        site.remove_source("market")
    assert site.add_source("market", "a", "folders", 1, 2, 3, role=role).id != kept.id


def test_a_source_has_a_name_and_a_role(site: Site) -> None:
    with pytest.raises(SourceError, match="needs a name"):
        site.add_source(" ", "a", "folders", 1, 2, 3)
    with pytest.raises(ValueError, match="'target' is no role"):
        site.add_source("a", "a", "folders", 1, 2, 3, role="target")


def test_evaluations_are_kept_with_their_model(site: Site, tmp_path: Path) -> None:
    write_embedder(tmp_path / "made" / "model.onnx")
    first, second = (site.add_model(tmp_path / "made", name=name) for name in ("a", "b"))
    metrics = {
        "mAP": 0.5,
        "rank1": 0.7,
        "rank5": 0.8,
        "rank10": 0.9,
        "cmc": [0.7, 0.75],
        "queries": 3,
        "gallery": 9,
    }

    before = site.add_evaluation(first.id, "before", "own", metrics)
    after = site.add_evaluation(second.id, "after", "own", {"mAP": 0.6})

    assert site.evaluations() == [before, after]
    assert site.evaluations(second.id) == [after]
    assert (before.label, before.dataset, before.metrics) == ("before", "own", metrics)
    with pytest.raises(SiteError, match="no model 'm9'"):
        site.add_evaluation("m9", "after", "own", metrics)
