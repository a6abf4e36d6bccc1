"""What an ablation varies: lists of variants, each some settings that differ from the base."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from training.errors import TrainingError


@dataclass(frozen=True)
class Variant:
    """One row of a table.

    Attributes:
        name: what the table calls it.
        settings: dotted names of settings and their values as on the command line, such as
            ``{"teacher_student.eps": "0.5"}``.
    """

    name: str
    settings: dict[str, str] = field(default_factory=dict)


def _kmeans(clusters: int) -> Variant:
    return Variant(
        f"K-means {clusters}",
        {"teacher_student.clustering": "kmeans", "teacher_student.kmeans_clusters": str(clusters)},
    )


def _terms(name: str, **weights: float) -> Variant:
    return Variant(name, {f"teacher_student.{key}_weight": str(value) for key, value in weights.items()})


_PLAIN: dict[str, object] = {
    "head": "classifier",
    "smoothing": 0.1,
    "proxy_weight": 0,
    "camera_aware": "off",
    "erasing": 0.5,
    "norm_group": 0,
    "keep_optimiser": "on",
    "networks": 2,
    "camera_centred": "on",
    "soft_identity_weight": 0,
    "soft_triplet_weight": 0,
}
_ALL: dict[str, object] = {"head": "memory", "smoothing": 0, "proxy_weight": 1, "camera_aware": "on"}


def _beyond(name: str, **changes: object) -> Variant:
    return Variant(name, {f"teacher_student.{key}": str(value) for key, value in (_PLAIN | changes).items()})


PLANS: dict[str, tuple[Variant, ...]] = {
    "table3": (_kmeans(500), _kmeans(600), _kmeans(700), Variant("DBSCAN")),
    "table4": (
        Variant("without SPGAN", {"style_transfer_enabled": "off"}),
        Variant("with SPGAN", {"style_transfer_enabled": "on"}),
    ),
    "table5": (
        Variant("no transformer", {"network.transformer_blocks": "0"}),
        Variant("one block", {"network.transformer_blocks": "1"}),
        Variant("two blocks", {"network.transformer_blocks": "2"}),
    ),
    # Eq 20: what is left of 1 is the attraction's.
    "losses": (
        _terms("all terms", soft_identity=0.5, soft_triplet=0.8),
        _terms("no soft labels", soft_identity=0, soft_triplet=0),
        _terms("no soft identity", soft_identity=0, soft_triplet=0.8),
        _terms("no soft triplet", soft_identity=0.5, soft_triplet=0),
        _terms("no triplet", soft_identity=0.5, soft_triplet=0, identity=0.9, triplet=0),
        _terms("no identity", soft_identity=0, soft_triplet=0.8, identity=0, triplet=0.9),
        _terms("no attraction", soft_identity=0.5, soft_triplet=0.8, identity=0.5, triplet=0.5),
    ),
    "clustering": tuple(
        Variant(
            f"eps {eps}, {distance} distance, {'' if centred == 'on' else 'not '}centred by camera",
            {
                "teacher_student.eps": eps,
                "teacher_student.camera_aware": "on" if distance == "camera-aware" else "off",
                "teacher_student.camera_centred": centred,
            },
        )
        for eps, distance, centred in (
            ("auto", "plain", "off"),
            ("0.5", "plain", "off"),
            ("0.5", "plain", "on"),
            ("0.5", "camera-aware", "off"),
            ("0.5", "camera-aware", "on"),
            ("0.4", "camera-aware", "on"),
            ("0.6", "camera-aware", "on"),
            ("auto", "camera-aware", "on"),
        )
    ),
    # One network that learns from its own clusters, as the simplest public codes do.
    "baseline": (
        _beyond("one network, classifier, no smoothing", networks=1, camera_centred="off", smoothing=0),
        _beyond("one network, as compact", **_ALL | {"networks": 1}),
        _beyond("two networks, as compact", **_ALL),
    ),
    "alpha": tuple(
        Variant(f"alpha {alpha}", {"teacher_student.alpha": alpha}) for alpha in ("0.9", "0.99", "0.999")
    ),
    "beyond": (
        _beyond("classifier"),
        _beyond("classifier, no label smoothing", smoothing=0),
        _beyond("memory", head="memory", smoothing=0),
        _beyond("memory, proxies", head="memory", smoothing=0, proxy_weight=1),
        _beyond("memory, proxies, camera-aware distance", **_ALL),
        _beyond("all three, no erasing", **_ALL | {"erasing": 0}),
        _beyond("all three, norm groups of 16", **_ALL | {"norm_group": 16}),
        _beyond("all three, optimiser built anew", **_ALL | {"keep_optimiser": "off"}),
    ),
}
"""The tables of the paper, the terms of eq 20, and what goes beyond it."""


def open_plan(name: str) -> tuple[Variant, ...]:
    """The plan called ``name``, or the one in the TOML file at that path.

    A file holds ``[[variant]]`` tables with a ``name`` and, under it, settings by their dotted names::

        [[variant]]
        name = "wider radius"
        "teacher_student.eps" = 0.6

    Raises:
        TrainingError: neither a plan nor a file that can be understood, or names that are not one a variant.
    """
    if name in PLANS:
        return PLANS[name]
    try:
        tables = tomllib.loads(Path(name).read_text(encoding="utf-8"))["variant"]
        plan = tuple(_variant(table) for table in tables)
    except FileNotFoundError as error:
        raise TrainingError(
            f"there is no plan {name!r}; there are: {', '.join(PLANS)}, or a TOML file of [[variant]] tables"
        ) from error
    except (
        OSError,
        KeyError,
        TypeError,
        AttributeError,
        UnicodeDecodeError,
        tomllib.TOMLDecodeError,
    ) as error:
        raise TrainingError(
            f"the plan {name} cannot be understood ({error}); see --help for its form"
        ) from error
    if not plan or len({variant.name for variant in plan}) < len(plan):
        raise TrainingError(f"the plan {name} needs at least one variant, and a name for each")
    return plan


def _variant(table: dict[str, Any]) -> Variant:
    values = {key: value for key, value in table.items() if key != "name"}
    return Variant(str(table["name"]), {key: _as_option(value) for key, value in values.items()})


def _as_option(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, list):
        return ",".join(map(str, value))
    return str(value)
