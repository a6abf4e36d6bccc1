"""The weights of detectors: fetched once with a checksum, or brought by hand."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from reid_desk.errors import FootageError


@dataclass(frozen=True)
class Weights:
    """A file of weights: its name in the cache folder, where it comes from, its SHA-256 and its licence."""

    file_name: str
    url: str
    sha256: str
    licence: str


TABLE = {
    "yolox_nano": Weights(
        "yolox_nano.onnx",
        "https://github.com/Megvii-BaseDetection/YOLOX/releases/download/0.1.1rc0/yolox_nano.onnx",
        "c789161ed43c8269fcd4e67c67eeeb4e80c622da2eb296a20bc6007bd18a0b7d",
        "Apache-2.0",
    ),
}


def cache_folder() -> Path:
    """Where fetched weights lie, one folder a user."""
    import platformdirs  # noqa: PLC0415 - only where weights are needed

    return Path(platformdirs.user_cache_dir("reid-desk")) / "weights"


def find_weights(name: str, *, folder: Path | None = None) -> Path:
    """The file of the weights called ``name``: in ``folder`` (default: the cache folder), else fetched there.

    A file of that name which lies in the folder already is taken as it is: that is how it is brought by hand.

    Raises:
        FootageError: the file is not there and cannot be fetched; says which file, from where, and where to
        put it.
    """
    weights = TABLE[name]
    path = (folder or cache_folder()) / weights.file_name
    return path if path.is_file() else _fetch(weights, path)


def _fetch(weights: Weights, path: Path) -> Path:
    import pooch  # noqa: PLC0415 - only where weights are fetched
    import requests  # noqa: PLC0415 - pooch's own client

    try:
        pooch.retrieve(
            weights.url,
            known_hash=f"sha256:{weights.sha256}",
            fname=path.name,
            path=path.parent,
            downloader=pooch.HTTPDownloader(timeout=30, progressbar=False),
        )
    except (requests.RequestException, ValueError, OSError) as error:
        reason = " ".join(str(error).split())[:200]
        raise FootageError(
            f"The person detector needs {path.name}, which could not be fetched ({reason})."
            f" Fetch {weights.url} on a machine that is online and put it at {path}, or name the file,"
            " or use the detector 'motion', which needs no weights."
        ) from error
    return path
