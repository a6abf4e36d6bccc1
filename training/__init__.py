"""Semi-supervised person re-identification: SPGAN, pre-training, teacher-student adaptation (Zhao et al. 2022).

The surface for other programs; ``docs/method.md`` maps every equation to its function. Names are loaded when they
are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from training.adaptation import adapt as adapt
    from training.clustering import dbscan as dbscan
    from training.datasets import open_dataset as open_dataset
    from training.datasets import open_target as open_target
    from training.errors import TrainingError as TrainingError
    from training.jaccard import camera_aware_jaccard_distance as camera_aware_jaccard_distance
    from training.jaccard import jaccard_distance as jaccard_distance
    from training.losses import adaptation_loss as adaptation_loss
    from training.losses import attraction_loss as attraction_loss
    from training.losses import camera_proxy_loss as camera_proxy_loss
    from training.losses import identity_loss as identity_loss
    from training.losses import soft_identity_loss as soft_identity_loss
    from training.losses import soft_triplet_loss as soft_triplet_loss
    from training.losses import triplet_loss as triplet_loss
    from training.metrics import cmc_map as cmc_map
    from training.presets import preset as preset
    from training.progress import Reporter as Reporter
    from training.progress import Silent as Silent
    from training.settings import Settings as Settings
    from training.stages import evaluate_model as evaluate  # noqa: F401 - the surface's name for it
    from training.stages import export_weights as export  # noqa: F401 - the surface's name for it

_HOME = {
    "adapt": "adaptation",
    "open_dataset": "datasets",
    "open_target": "datasets",
    "TrainingError": "errors",
    "camera_aware_jaccard_distance": "jaccard",
    "jaccard_distance": "jaccard",
    "adaptation_loss": "losses",
    "attraction_loss": "losses",
    "camera_proxy_loss": "losses",
    "identity_loss": "losses",
    "soft_identity_loss": "losses",
    "soft_triplet_loss": "losses",
    "triplet_loss": "losses",
    "cmc_map": "metrics",
    "preset": "presets",
    "Reporter": "progress",
    "Silent": "progress",
    "dbscan": "clustering",
    "Settings": "settings",
    "evaluate": "stages.evaluate_model",
    "export": "stages.export_weights",
}
__all__ = sorted(_HOME)  # noqa: PLE0605 - the table above is the list


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'training' has no attribute {name!r}")
    module, _, inner = _HOME[name].partition(".")
    return getattr(import_module(f"training.{module}"), inner or name)
