"""``reid-desk models``, ``use`` and ``export``: the models of a site."""

from __future__ import annotations

import argparse
import errno
import hashlib
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reid_desk.cli.answer import Answer, Commands, add_json_option, local_time, table, utc_time
from reid_desk.errors import ModelError, ReidDeskError

if TYPE_CHECKING:
    from reid_desk.site import Model


def add(commands: Commands[Any]) -> None:
    """Add the commands to the parser."""
    models = commands.add_parser("models", help="list a site's models")
    models.set_defaults(run=run_models)
    use = commands.add_parser("use", help="search with another model from now on (roll back)")
    use.set_defaults(run=run_use)
    export = commands.add_parser("export", help="copy a model out of a site, as one ONNX file")
    export.set_defaults(run=run_export)
    for parser in (models, use, export):
        parser.add_argument("site", metavar="SITE", type=Path, help="the site's folder")
        add_json_option(parser)
    use.add_argument("model", metavar="ID", help="the model; see: reid-desk models")
    export.add_argument("out", metavar="OUT.onnx", type=Path, help="the file to write")
    export.add_argument("--model", metavar="ID", help="the model (default: the one in use)")
    export.add_argument("--force", action="store_true", help="replace the file if it is there")


def run_models(parsed: argparse.Namespace) -> Answer:
    """List the models, the newest last."""
    from reid_desk.site import Site  # noqa: PLC0415 - numpy

    with Site.open(parsed.site) as site:
        current = site.current_model()
        rows = [
            {
                "id": model.id,
                "name": model.name,
                "in_use": current is not None and model.id == current.id,
                "created": utc_time(model.created_at),
                "local_time": local_time(model.created_at),
                "card": dict(model.card),
            }
            for model in site.models()
        ]
    cells = [(row["id"], row["name"], row["local_time"], "in use" if row["in_use"] else "") for row in rows]
    text = table(("id", "name", "made", ""), cells) if rows else "The site has no model yet."
    return Answer({"models": rows}, text)


def run_use(parsed: argparse.Namespace) -> Answer:
    """Embed what the model has not seen, then search with it."""
    from reid_desk.cli.foreground import run_in_foreground  # noqa: PLC0415 - only here
    from reid_desk.jobs.spec import JobSpec  # noqa: PLC0415 - only here

    result = run_in_foreground(JobSpec("embed", str(parsed.site), {"model": parsed.model, "use": True}))
    return Answer(result, f"The site is searched with {parsed.model} from now on.")


def run_export(parsed: argparse.Namespace) -> Answer:
    """Copy the model's file; its card is inside it."""
    from reid_desk.jobs.embed import chosen_model  # noqa: PLC0415 - numpy
    from reid_desk.site import Site  # noqa: PLC0415 - as above

    if parsed.out.exists() and not parsed.force:
        raise ReidDeskError(f"{parsed.out} is there already. Choose another name, or add --force.")
    _refuse_inside_a_site(parsed.out)
    if not parsed.out.absolute().parent.is_dir():
        raise ReidDeskError(f"There is no folder {parsed.out.absolute().parent}. Make it first.")
    with Site.open(parsed.site) as site:
        model = chosen_model(site, parsed.model)
    digest = checked_sha256(model)
    part = parsed.out.with_name(parsed.out.name + ".part")
    try:
        shutil.copyfile(model.path, part)
        os.replace(part, parsed.out)  # noqa: PTH105 - Path.replace says nothing of its being atomic either
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise ReidDeskError(
            f"The disk of {parsed.out} is full; the model takes {model.path.stat().st_size / 1e6:.0f} MB. Free some "
            "space there, or choose another place."
        ) from error
    finally:
        part.unlink(missing_ok=True)
    document = {"model": model.id, "path": str(parsed.out), "sha256": digest, "card": dict(model.card)}
    return Answer(document, f"Model {model.id} written to {parsed.out} (SHA-256 {digest}).")


def _refuse_inside_a_site(out: Path) -> None:
    """A site's own files are not to be written over, and a folder cannot be.

    Raises:
        ReidDeskError: ``out`` is a folder, or lies in one with a site's database at or above it.
    """
    if out.is_dir():
        raise ReidDeskError(f"{out} is a folder. Give the name of a file, such as {out / 'model.onnx'}.")
    for folder in out.resolve().parents:
        if (folder / "site.db").exists():
            raise ReidDeskError(f"{out} lies in the site {folder}. Choose a place outside of it.")


def checked_sha256(model: Model) -> str:
    """The SHA-256 of a model's file, in hexadecimal.

    Raises:
        ModelError: the file is missing, or not what its card says.
    """
    if not model.path.is_file():
        raise ModelError(
            f"The file of model {model.id} is missing ({model.path}). Bring it back from a backup."
        )
    with model.path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    if model.card.get("sha256") not in (None, digest):
        raise ModelError(
            f"The file of model {model.id} is damaged ({model.path}). Bring it back from a backup."
        )
    return digest
