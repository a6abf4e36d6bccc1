"""How well label-free scores rank networks: Spearman's correlation with true mAP over the teachers of a run.

    python -m tests.benchmarks.selection --weights pretrained.safetensors --target DIR --test DIR [--preset compact]
        [--teacher-student.epochs 8 ...] [--json FILE]

Runs stage 3 from the given weights; after each epoch both teachers are scored without labels and measured with them.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

from training.adaptation import open_crops
from training.datasets import evaluation_split, open_dataset
from training.model_selection import score_all
from training.networks.building import build_network
from training.options import add_setting_options, settings_from
from training.progress import Silent
from training.run import Run, TestImages
from training.settings import Settings
from training.target import Target
from training.teacher_student import TeacherStudent
from training.weights import read_state


def measure(
    weights: Path, target: Path, test: Path, settings: Settings, folder: Path
) -> list[dict[str, float]]:
    """One record a network and epoch: ``epoch``, ``network``, true ``mAP`` and every score that can be had."""
    run = Run(folder, settings, Silent())
    crops = open_crops(target)
    query, gallery, note = evaluation_split(open_dataset(test))
    measured = TestImages(run.decode("query", query), run.decode("gallery", gallery), note)
    network = build_network(settings.network, pretrained=False)
    network.load_state_dict(read_state(weights))
    store = run.decode("target", crops.images)
    stage = TeacherStudent(
        (network, network),
        Target.of(store, crops.co_seen),
        settings.teacher_student,
        device=run.device,
        bfloat16=run.bfloat16,
        seed=settings.seed,
        reporter=Silent(),
    )
    records = []

    def look(stage: TeacherStudent, epoch: int) -> None:
        features, evidence = stage.evidence()
        for number, (pair, each) in enumerate(zip(stage.pairs, features, strict=True)):
            true = run.evaluate(pair.teacher, measured).mAP
            record = {"epoch": epoch, "network": number, "mAP": true, **score_all(each, evidence)}
            print(json.dumps({key: round(value, 4) for key, value in record.items()}), flush=True)
            records.append(record)

    stage.run(on_epoch=look)
    return records


def correlations(records: list[dict[str, float]]) -> dict[str, float]:
    """Spearman's correlation of each score with mAP, over all ``records``."""
    names = [name for name in records[0] if name not in ("epoch", "network", "mAP")]
    true = [record["mAP"] for record in records]
    return {name: float(spearmanr([record[name] for record in records], true).statistic) for name in names}


def main(arguments: list[str]) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--target", type=Path, required=True)
    parser.add_argument("--test", type=Path, required=True)
    parser.add_argument("--preset", default="compact")
    parser.add_argument("--json", type=Path)
    add_setting_options(parser)
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        records = measure(given.weights, given.target, given.test, settings_from(given), Path(folder))
    found = correlations(records)
    print(f"{'score':28s} Spearman over {len(records)} networks, mAP {_range(records)}")
    for name, value in sorted(found.items(), key=lambda item: -item[1]):
        print(f"{name:28s} {value:+.3f}")
    if given.json:
        given.json.write_text(json.dumps({"records": records, "spearman": found}, indent=2))
    return 0


def _range(records: list[dict[str, float]]) -> str:
    true = np.array([record["mAP"] for record in records])
    return f"{true.min():.3f} to {true.max():.3f}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
