"""How much room on the disk an adaptation needs, and whether it is there."""

from __future__ import annotations

import shutil
from pathlib import Path

from reid_desk.errors import SiteError
from training.presets import preset

_GIB = 2**30
# Checkpoints (the largest twice while it is replaced), previews and models; what a run of each preset was seen to take.
_NETWORKS = {"paper": 4 * _GIB, "compact": _GIB // 2, "smoke": 3 * _GIB // 4}
_JPEG = 16 * 1024  # of one crop


def room_needed(preset_name: str, *, crops: int, source_images: int) -> int:
    """Bytes that a run takes on the disk while it lasts, roughly.

    Args:
        preset_name: one of ``training.presets.NAMES``.
        crops: of the site; they are copied, and decoded.
        source_images: of the source; they are decoded, and translated.
    """
    network = preset(preset_name).network
    decoded = network.height * network.width * 3
    return _NETWORKS[preset_name] + crops * (_JPEG + decoded) + source_images * 2 * decoded


def require_room(folder: Path, needed: int) -> None:
    """See that the disk of ``folder`` has ``needed`` bytes free.

    Raises:
        SiteError: it has not.
    """
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise SiteError(
            f"Adapting needs about {needed / _GIB:.1f} GB on the disk of {folder}, and {free / _GIB:.1f} GB are free. "
            "Free some space, or choose a smaller preset."
        )
