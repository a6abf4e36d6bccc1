"""Variants of a run side by side: the tables of the paper, on any pair of data sets.

Stages that variants have in common are computed once. Everything is kept under one folder and each finished variant
has its result file, so that a broken-off ablation goes on where it stopped:

``images/`` decoded images, ``shared/<digest>/`` stages 1 and 2, ``runs/<variant>-<seed>/`` stage 3,
``results/<variant>-<seed>.json``, and in the end ``table.csv`` and ``table.md``.
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.adaptation import known_people, open_crops, open_source
from training.datasets import Dataset, evaluation_split, open_dataset
from training.errors import ClusteringError
from training.files import write_atomically
from training.images import ImageStore, decode
from training.networks.embedding import EmbeddingNetwork
from training.options import with_options
from training.plans import Variant
from training.progress import Reporter
from training.run import Run, TestImages
from training.settings import Settings
from training.source_lesson import Source
from training.target import Target

FIGURES = ("mAP", "rank1", "rank5", "rank10")


def ablate(
    source: Path,
    target: Path,
    test: Path,
    out: Path,
    *,
    plan: Sequence[Variant],
    settings: Settings,
    seeds: Sequence[int],
    reporter: Reporter,
) -> list[dict[str, Any]]:
    """Run every variant of ``plan`` with every seed and write one table.

    Args:
        source: a labelled data set.
        target: unlabelled crops.
        test: a labelled data set to measure on.
        out: the folder of the ablation; results that are there are not computed again.
        plan: what differs from ``settings``.
        settings: the base.
        seeds: each variant is run once with each.
        reporter: told what happens; its cancellation error passes through.

    Returns:
        One row a variant: ``variant``, ``seeds``, mean and spread (standard deviation over seeds) of each figure of
        ``pretrained`` and ``adapted``, ``minutes`` of stage 3, and ``failed``: why seeds gave no result.

    Raises:
        TrainingError: bad input, or a variant with a setting that is none.
    """
    work = _Workplace(source, target, test, out, reporter)
    variants = {variant.name: with_options(settings, variant.settings) for variant in plan}
    rows = []
    for name, chosen in variants.items():
        results = []
        for seed in seeds:
            reporter.message(f"{name}, seed {seed}")
            results.append(work.result(name, dataclasses.replace(chosen, seed=seed)))
        rows.append(_row(name, seeds, results))
        # The table grows with every variant: what is done can be read while the rest runs.
        write_atomically(out / "table.csv", _as_csv(rows).encode())
        write_atomically(out / "table.md", as_markdown(rows).encode())
    return rows


@dataclass(frozen=True)
class _Images:
    """All that a run looks at, decoded at one size."""

    source: ImageStore
    target: ImageStore
    test: TestImages


class _Workplace:
    """The folder of an ablation: what is done, and what can be used again."""

    def __init__(self, source: Path, target: Path, test: Path, out: Path, reporter: Reporter) -> None:
        self._source, self._target = open_source(source), open_crops(target)
        self._split = evaluation_split(open_dataset(test))
        self._out = out
        self._reporter = reporter
        self._sets = [str(path.resolve()) for path in (source, target, test)]

    def result(self, name: str, settings: Settings) -> dict[str, Any]:
        """Metrics of one variant and seed, from its file or computed now."""
        slug = f"{_slug(name)}-{settings.seed}-{self._digest(settings)}"
        file = self._out / "results" / f"{slug}.json"
        if file.exists():
            kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
            return kept
        result = self._compute(settings, self._out / "runs" / slug) | {"variant": name, "seed": settings.seed}
        write_atomically(file, json.dumps(result, indent=2).encode())
        return result

    def _compute(self, settings: Settings, folder: Path) -> dict[str, Any]:
        images = self._decoded(settings)
        learnt = (
            self._translated(settings, images) if settings.style_transfer_enabled else images.source.images
        )
        network, pretrained = self._pretrained(settings, images, learnt)
        run = Run(folder, settings, self._reporter)
        try:
            adapted = run.adapted(
                network,
                Target.of(images.target, self._target.co_seen),
                Source(learnt, images.source.identities, images.source.cameras),
            )
        except ClusteringError as error:
            # A finding, not a mishap: this variant gives nothing to learn from on this target.
            return {"pretrained": pretrained, "failed": str(error), "seconds": run.seconds}
        metrics = run.evaluate(adapted.network, images.test).as_dict()
        return {
            "pretrained": pretrained,
            "adapted": metrics,
            "seconds": run.seconds,
            "history": [record.as_dict() for record in adapted.history],
        }

    def _pretrained(
        self, settings: Settings, images: _Images, learnt: NDArray[np.uint8]
    ) -> tuple[EmbeddingNetwork, dict[str, Any]]:
        """The network of stage 2 and its metrics, shared by all variants that have stages 1 and 2 in common."""
        shared = dataclasses.replace(settings, teacher_student=Settings().teacher_student)
        run = Run(self._out / "shared" / self._digest(shared), settings, self._reporter)
        network = run.pretrained("pretraining", images.source, learnt, images.target)
        file = run.out / "pretrained.json"
        if not file.exists():
            metrics = run.evaluate(network, images.test).as_dict()
            write_atomically(file, json.dumps(metrics, indent=2).encode())
        return network, json.loads(file.read_text(encoding="utf-8"))

    def _translated(self, settings: Settings, images: _Images) -> NDArray[np.uint8]:
        """The source in the target's look, shared by all variants with the same stage 1 and image size."""
        size = settings.network
        shared = Settings(
            seed=settings.seed,
            style_transfer=settings.style_transfer,
            network=dataclasses.replace(Settings().network, height=size.height, width=size.width),
        )
        run = Run(self._out / "shared" / self._digest(shared), settings, self._reporter)
        return run.translated(images.source, images.target)

    def _decoded(self, settings: Settings) -> _Images:
        size = settings.network
        folder = self._out / "images" / f"{size.height}x{size.width}"

        def store(name: str, dataset: Dataset | tuple[Any, ...]) -> ImageStore:
            samples = dataset.images if isinstance(dataset, Dataset) else dataset
            return decode(samples, size.height, size.width, folder / f"{name}.npy", self._reporter)

        query, gallery, note = self._split
        return _Images(
            store("source", known_people(self._source)),
            store("target", self._target),
            TestImages(store("query", query), store("gallery", gallery), note),
        )

    def _digest(self, settings: Settings) -> str:
        """A short name for these settings on these data sets."""
        text = json.dumps([self._sets, dataclasses.asdict(settings)], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40]


def _row(name: str, seeds: Sequence[int], results: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    row: dict[str, Any] = {"variant": name, "seeds": len(seeds)}
    for stage in ("pretrained", "adapted"):
        for figure in FIGURES:
            values = [result[stage][figure] for result in results if stage in result]
            row[f"{stage} {figure}"] = statistics.mean(values) if values else None
            row[f"{stage} {figure} spread"] = statistics.stdev(values) if len(values) > 1 else None
    seconds = [result["seconds"].get("adaptation", 0.0) for result in results]
    row["minutes"] = statistics.mean(seconds) / 60
    epochs = [record for result in results for record in result.get("history", [])]
    row["clustered otherwise"] = sum(bool(record.get("warning")) for record in epochs) / max(1, len(epochs))
    row["failed"] = "; ".join(sorted({result["failed"] for result in results if "failed" in result}))
    return row


def _as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def as_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The rows of :func:`ablate` as a table for people, mAP and rank-1 in per cent."""
    lines = [
        "| variant | seeds | mAP before | mAP after | rank-1 after | minutes |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [_percent(row, f"{stage} {figure}") for stage, figure in _SHOWN]
        if row["failed"]:
            cells[1] = f"{cells[1]} (failed: {row['failed']})".strip()
        variant = row["variant"]
        if row["clustered otherwise"]:
            variant = f"{variant} ({row['clustered otherwise']:.0%} of the epochs clustered otherwise, see the runs)"
        lines.append(f"| {variant} | {row['seeds']} | {' | '.join(cells)} | {row['minutes']:.1f} |")
    return "\n".join(lines) + "\n"


_SHOWN = (("pretrained", "mAP"), ("adapted", "mAP"), ("adapted", "rank1"))


def _percent(row: Mapping[str, Any], key: str) -> str:
    if row[key] is None:
        return ""
    spread = f" ± {100 * row[f'{key} spread']:.1f}" if row[f"{key} spread"] is not None else ""
    return f"{100 * row[key]:.1f}{spread}"
