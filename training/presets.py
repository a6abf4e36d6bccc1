"""Named settings: ``paper`` for a GPU, ``compact`` for a desk PC, ``smoke`` for tests and the demo."""

from __future__ import annotations

from dataclasses import replace

from training.settings import (
    NetworkSettings,
    PretrainingSettings,
    Settings,
    StyleTransferSettings,
    TeacherStudentSettings,
)

NAMES = ("paper", "compact", "smoke")

PAPER = Settings(preset="paper")

# Half the edge length, a mobile backbone whose weights are bundled, and a recipe that learns in a twentieth of
# the iterations: AdamW at a high rate with warm-up and cosine, triplets on normalised features.
COMPACT = Settings(
    preset="compact",
    network=NetworkSettings(
        backbone="efficientnet_lite0", height=128, width=64, last_stride=2, transformer_blocks=0
    ),
    style_transfer=StyleTransferSettings(
        blocks=6,
        filters=32,
        discriminator_filters=32,
        siamese_filters=32,
        residual=True,
        epochs=2,
        iterations_per_epoch=100,
        batch_size=4,
        height=128,
        width=64,
        learning_rate=5e-4,
        cycle_weight=5.0,
        identity_weight=0.0,  # it would pull a short run back to where it started
    ),
    pretraining=PretrainingSettings(
        epochs=15,
        iterations_per_epoch=60,
        optimiser="adamw",
        learning_rate=1e-3,
        weight_decay=5e-3,
        warmup_iterations=200,
        schedule="cosine",
        triplet_scale=4.0,
        target_images=0,
        norms_from_target=True,
        norm_group=0,
    ),
    # Found on cuhk03 -> cuhk01, see docs/decisions/0005: a memory of centres instead of a classifier, neighbours and
    # proxies by camera, no label smoothing, no soft labels (1.4 times the time a step, no gain at first).
    teacher_student=TeacherStudentSettings(
        epochs=15,
        iterations_per_epoch=60,
        optimiser="adamw",
        keep_optimiser=True,
        learning_rate=3.5e-4,
        schedule="cosine",
        weight_decay=5e-3,
        alpha=0.99,
        expected_images=4.0,
        eps=0.5,
        camera_centred=True,
        camera_aware=True,
        head="memory",
        proxy_weight=1.0,
        smoothing=0.0,
        soft_identity_weight=0.0,
        soft_triplet_weight=0.0,
        triplet_scale=4.0,
        norm_group=0,
    ),
)

SMOKE = Settings(
    preset="smoke",
    network=NetworkSettings(backbone="resnet18", height=128, width=64, transformer_blocks=0),
    style_transfer=StyleTransferSettings(
        blocks=3,
        filters=16,
        discriminator_filters=32,
        siamese_filters=32,
        residual=True,
        epochs=2,
        iterations_per_epoch=60,
        batch_size=4,
        height=128,
        width=64,
        learning_rate=5e-4,
        cycle_weight=5.0,
        identity_weight=0.0,  # it would pull a short run back to where it started
    ),
    pretraining=PretrainingSettings(
        epochs=8,
        iterations_per_epoch=30,
        identities=8,
        optimiser="adamw",
        learning_rate=1e-3,
        weight_decay=5e-3,
        warmup_iterations=30,
        schedule="cosine",
        triplet_scale=4.0,
        target_images=0,
        norms_from_target=True,
        norm_group=0,
    ),
    teacher_student=TeacherStudentSettings(
        epochs=6,
        iterations_per_epoch=25,
        identities=8,
        optimiser="adamw",
        weight_decay=5e-3,
        alpha=0.98,
        expected_images=24.0,
        camera_centred=True,
        triplet_scale=4.0,
    ),
)

_PRESETS = {"paper": PAPER, "compact": COMPACT, "smoke": SMOKE}


def preset(name: str, **overrides: object) -> Settings:
    """The settings of preset ``name``, with ``overrides`` of the fields of :class:`Settings`.

    Raises:
        ValueError: no such preset.
    """
    if name not in _PRESETS:
        raise ValueError(f"no preset {name!r}; there are: {', '.join(NAMES)}")
    return replace(_PRESETS[name], **overrides)  # type: ignore[arg-type]
