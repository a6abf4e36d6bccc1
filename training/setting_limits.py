"""What the values of settings may be: found at once, not by a traceback hours into a run."""

from __future__ import annotations

import dataclasses
import math
import typing
from typing import Any, Literal

from training.errors import TrainingError

# Lowest and highest value by a setting's last name, or by its whole dotted one where stages differ.
_LIMITS: dict[str, tuple[float, float]] = {
    "alpha": (0, 1),
    "attraction_mates": (1, math.inf),
    "batch_size": (1, math.inf),
    "beta1": (0, 0.9999),
    "beta2": (0, 0.9999),
    "decay_from": (0, 1),
    "discriminator_filters": (1, math.inf),
    "dropout": (0, 0.99),
    "epochs": (1, math.inf),
    "eps": (0.001, 0.999),
    "erasing": (0, 1),
    "expected_images": (1.001, math.inf),
    "filters": (1, math.inf),
    "generator_every": (1, math.inf),
    "identities": (2, math.inf),
    "instances": (2, math.inf),
    "iterations_per_epoch": (1, math.inf),
    "jitter": (1, math.inf),
    "k1": (2, math.inf),
    "k2": (1, math.inf),
    "kmeans_clusters": (2, math.inf),
    "last_stride": (1, 2),
    "learning_rate": (1e-12, math.inf),
    "margin": (0, 2),
    "memory_momentum": (0, 1),
    "memory_temperature": (1e-6, math.inf),
    "min_samples": (1, math.inf),
    "network.height": (32, math.inf),
    "network.width": (32, math.inf),
    "networks": (1, 2),
    "pretraining.identity_weight": (0, 1),
    "seed": (0, 2**31),  # scikit-learn takes 32 bits, and epochs are added to it
    "proxy_temperature": (1e-6, math.inf),
    "siamese_filters": (1, math.inf),
    "smoothing": (0, 0.999),
    "soft_identity_weight": (0, 1),
    "soft_triplet_weight": (0, 1),
    "style_transfer.height": (64, math.inf),
    "style_transfer.width": (64, math.inf),
    "teacher_student.identity_weight": (0, 1),
    "teacher_student.triplet_weight": (0, 1),
    "transformer_blocks": (0, 2),
    "transformer_heads": (1, math.inf),
}
_ANY_OTHER = (0, math.inf)

# A norm has no statistics over a single image.
_NOT_ONE = frozenset({"norm_group", "target_images"})

# Networks halve their images so often.
_MULTIPLES = {
    "network.height": 32,
    "network.width": 32,
    "style_transfer.height": 4,
    "style_transfer.width": 4,
}


def check_settings(settings: Any, prefix: str = "") -> None:
    """Check every value of a dataclass of settings and of those in it.

    Raises:
        TrainingError: a value that no stage can work with; the line names it and what it may be.
    """
    kinds = typing.get_type_hints(type(settings))
    for field in dataclasses.fields(settings):
        name, value = prefix + field.name, getattr(settings, field.name)
        if dataclasses.is_dataclass(value):
            check_settings(value, f"{name}.")
            continue
        _check_choice(name, value, kinds[field.name])
        for number in value if isinstance(value, tuple) else (value,):
            if isinstance(number, int | float) and not isinstance(number, bool):
                _check_number(name, number)


def _check_choice(name: str, value: object, kind: Any) -> None:
    allowed = typing.get_args(kind) if typing.get_origin(kind) is Literal else ()
    if allowed and value not in allowed:
        raise TrainingError(f"the setting {name} cannot be {value!r}: it is one of {', '.join(allowed)}")


def _check_number(name: str, value: float) -> None:
    lowest, highest = _LIMITS.get(name, _LIMITS.get(name.rpartition(".")[2], _ANY_OTHER))
    if not lowest <= value <= highest or math.isinf(value):  # a number that is none is in no range
        limits = f"at least {lowest}" if math.isinf(highest) else f"between {lowest} and {highest}"
        raise TrainingError(f"the setting {name} cannot be {value}: it is {limits}")
    if value == 1 and name.rpartition(".")[2] in _NOT_ONE:
        raise TrainingError(f"the setting {name} cannot be 1: it is 0 or at least 2")
    multiple = _MULTIPLES.get(name, 1)
    if value % multiple and isinstance(value, int):
        raise TrainingError(f"the setting {name} cannot be {value}: it is a multiple of {multiple}")
