"""The models of a site: files under ``models/<id>/`` and rows that name them."""

# ruff: noqa: S608 - queries are put together from constants only; values are always bound

from __future__ import annotations

import hashlib
import json
import os
import shutil
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from reid_desk.errors import ModelError, SiteError
from reid_desk.site import settings
from reid_desk.site.database import Database, storage_errors
from reid_desk.site.records import Model

CARD_PROPERTY = "reid_desk.card"
CARD_FORMAT = 1

_MODEL_COLUMNS = "id, name, card, run_id, created_at"
_OPTIONAL_FILES = ("weights.safetensors",)


class Models:
    """The models of a site, and which of them is the current one."""

    def __init__(self, database: Database, folder: Path) -> None:
        self._database = database
        self._folder = folder

    def add_model(self, path: Path, *, name: str, run_id: str | None = None) -> Model:
        """Copy a model into the site.

        Args:
            path: its ``model.onnx``, or the folder with that and perhaps ``weights.safetensors``.
            name: what operators call it.
            run_id: the run that made it.

        Raises:
            ModelError: the file is missing, damaged, carries no card, or is not what ``card.json`` describes.
            SiteError: the disk is full.
        """
        onnx_path = path / "model.onnx" if path.is_dir() else path
        card = read_card(onnx_path)
        incoming = self._folder / f".incoming-{uuid.uuid4().hex}"
        with storage_errors(self._folder):
            try:
                card = _copy_model(onnx_path, card, incoming)
                return self._register(incoming, card, name, run_id)
            finally:
                shutil.rmtree(incoming, ignore_errors=True)

    def _register(self, incoming: Path, card: Mapping[str, Any], name: str, run_id: str | None) -> Model:
        with self._database.transaction() as connection:
            number = 1 + connection.execute("SELECT count(*) FROM models").fetchone()[0]
            # A folder without a row was left by a process that was killed right here.
            while self._has(f"m{number}") or (self._folder / f"m{number}").exists():
                number += 1
            model_id = f"m{number}"
            connection.execute(
                f"INSERT INTO models ({_MODEL_COLUMNS}) VALUES (?, ?, ?, ?, ?)",
                (model_id, name, json.dumps(card), run_id, time.time()),
            )
            incoming.rename(self._folder / model_id)
            _sync(self._folder)
        return self.model(model_id)

    def _has(self, model_id: str) -> bool:
        return self._database.row("SELECT 1 FROM models WHERE id = ?", (model_id,)) is not None

    def models(self) -> list[Model]:
        """Return all models, oldest first."""
        rows = self._database.rows(f"SELECT {_MODEL_COLUMNS} FROM models ORDER BY created_at, rowid")
        return [self._from_row(row) for row in rows]

    def model(self, model_id: str) -> Model:
        """Return one model.

        Raises:
            SiteError: there is no such model.
        """
        row = self._database.row(f"SELECT {_MODEL_COLUMNS} FROM models WHERE id = ?", (model_id,))
        if row is None:
            known = ", ".join(model.id for model in self.models()) or "none yet"
            raise SiteError(f"The site has no model {model_id!r}; its models are: {known}.")
        return self._from_row(row)

    def current_model(self) -> Model | None:
        """Return the model that searches use, or ``None`` if the site has not been adapted yet."""
        model_id = settings.read(self._database, settings.CURRENT_MODEL)
        return None if model_id is None else self.model(model_id)

    def use_model(self, model_id: str) -> None:
        """Make searches use this model from now on; the others stay for roll-back.

        Raises:
            SiteError: there is no such model.
        """
        with self._database.transaction() as connection:
            self.model(model_id)
            settings.write(connection, settings.CURRENT_MODEL, model_id)

    def use_complete_model(self, model_id: str) -> bool:
        """Make searches use this model if every crop has a vector by it; return whether that is so.

        Asked and done in one transaction: crops that another process adds come before it, and are seen, or
        after it, when this model is the current one.

        Raises:
            SiteError: there is no such model.
        """
        with self._database.transaction() as connection:
            missing = "SELECT 1 FROM crops WHERE id NOT IN (SELECT crop_id FROM vectors WHERE model_id = ?)"
            if connection.execute(f"{missing} LIMIT 1", (model_id,)).fetchone() is not None:
                self.model(model_id)
                return False
            self.use_model(model_id)
            return True

    def _from_row(self, row: tuple[Any, ...]) -> Model:
        model_id, name, card, run_id, created_at = row
        return Model(
            model_id, name, self._folder / model_id / "model.onnx", json.loads(card), run_id, created_at
        )


def read_card(path: Path) -> dict[str, Any]:
    """Return the card that a model file carries.

    Raises:
        ModelError: the file is missing, is not ONNX, or carries no card this version can read.
    """
    import onnx  # noqa: PLC0415 - only those who add a model pay for it
    from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # noqa: PLC0415

    try:
        properties = onnx.load(path, load_external_data=False).metadata_props
    except OSError as error:
        raise ModelError(f"Cannot read the model {path}: {error.strerror}.") from error
    except DecodeError as error:
        raise ModelError(f"{path} is damaged or no ONNX file; export the model again.") from error
    text = next((entry.value for entry in properties if entry.key == CARD_PROPERTY), None)
    if text is None:
        raise ModelError(
            f"{path} is no model of ReID Desk: it carries no card; use a model.onnx that it exported."
        )
    return _parse_card(text, path)


def _parse_card(text: str, path: Path) -> dict[str, Any]:
    try:
        card = json.loads(text)
    except ValueError as error:
        raise ModelError(f"The card of {path} is damaged; export the model again.") from error
    sizes = (
        [card.get(key) for key in ("height", "width", "embedding_size")] if isinstance(card, dict) else [None]
    )
    if not all(isinstance(size, int) and size > 0 for size in sizes):
        raise ModelError(f"The card of {path} does not tell the sizes of the model; export the model again.")
    if card.get("format") != CARD_FORMAT:
        raise ModelError(
            f"{path} has a card of format {card.get('format')}; this version reads {CARD_FORMAT}: update."
        )
    return dict(card)


def _copy_model(onnx_path: Path, card: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Copy a model to a new folder, durably, and return its card with the SHA-256 of what was copied."""
    folder.mkdir(parents=True)
    sha256 = _copy(onnx_path, folder / "model.onnx")
    expected = _expected_sha256(onnx_path.with_name("card.json"))
    if expected not in (None, sha256):
        raise ModelError(f"{onnx_path} is not the file that its card.json describes; export the model again.")
    card = {**card, "sha256": sha256}
    for name in _OPTIONAL_FILES:
        if onnx_path.with_name(name).is_file():
            _copy(onnx_path.with_name(name), folder / name)
    with (folder / "card.json").open("w", encoding="utf-8") as file:
        json.dump(card, file, indent=2)
        file.flush()
        os.fsync(file.fileno())
    _sync(folder)
    return card


def _expected_sha256(card_path: Path) -> str | None:
    if not card_path.is_file():
        return None
    try:
        card = json.loads(card_path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{card_path} is damaged; export the model again.") from error
    sha256 = card.get("sha256") if isinstance(card, dict) else None
    return None if sha256 is None else str(sha256)


def _copy(source: Path, target: Path) -> str:
    """Copy a file durably and return the SHA-256 of its bytes."""
    digest = hashlib.sha256()
    with source.open("rb") as reader, target.open("wb") as writer:
        while block := reader.read(1 << 20):
            digest.update(block)
            writer.write(block)
        writer.flush()
        os.fsync(writer.fileno())
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    """Make renames inside a folder durable, where the system knows how."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
