"""Command-line options made from the settings: ``--pretraining.epochs 5`` sets ``Settings.pretraining.epochs``."""

from __future__ import annotations

import argparse
import dataclasses
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, Literal

from training.errors import TrainingError
from training.presets import preset
from training.settings import Settings

_PREFIX = "setting:"


def add_setting_options(parser: argparse.ArgumentParser) -> None:
    """Give ``parser`` an option for each field of :class:`training.settings.Settings`, nested ones dotted."""
    group = parser.add_argument_group("settings", "what is not given is the preset's")
    for name, kind in _flat_fields(Settings):
        if name != "preset":
            group.add_argument(
                f"--{name.replace('_', '-')}",
                dest=_PREFIX + name,
                type=_parser_of(kind),
                metavar=_shown(kind),
            )


def settings_from(arguments: argparse.Namespace) -> Settings:
    """The preset of ``arguments`` with the given options put in.

    Raises:
        TrainingError: no such preset.
    """
    try:
        settings = preset(arguments.preset)
    except ValueError as error:
        raise TrainingError(str(error)) from error
    given = {
        key.removeprefix(_PREFIX): value
        for key, value in vars(arguments).items()
        if key.startswith(_PREFIX) and value is not None
    }
    changed: Settings = _with(settings, given)
    return changed


def with_options(settings: Settings, options: Mapping[str, str]) -> Settings:
    """``settings`` with each of ``options``, dotted names such as ``teacher_student.eps`` and texts, put in.

    Raises:
        TrainingError: no such setting, or a text that is no value of it.
    """
    kinds, values = dict(_flat_fields(Settings)), {}
    for name, text in options.items():
        if name not in kinds or name == "preset":
            raise TrainingError(f"there is no setting {name!r}; `python -m training adapt --help` lists them")
        try:
            values[name] = _parser_of(kinds[name])(text)
        except ValueError as error:
            raise TrainingError(
                f"the setting {name} cannot be {text!r}, it is {_shown(kinds[name])}"
            ) from error
    changed: Settings = _with(settings, values)
    return changed


def _flat_fields(kind: type) -> list[tuple[str, Any]]:
    hints = typing.get_type_hints(kind)
    flat: list[tuple[str, Any]] = []
    for field in dataclasses.fields(kind):
        hint = hints[field.name]
        if dataclasses.is_dataclass(hint):
            flat += [(f"{field.name}.{name}", inner) for name, inner in _flat_fields(typing.cast(type, hint))]
        else:
            flat.append((field.name, hint))
    return flat


def _with(settings: Any, values: Mapping[str, Any]) -> Any:
    """``settings`` with all of ``values``, by dotted names, put in at once: they are checked together."""
    changes = {name: None if value is _NONE else value for name, value in values.items() if "." not in name}
    for part in sorted({name.partition(".")[0] for name in values if "." in name}):
        inner = {
            name.removeprefix(f"{part}."): value
            for name, value in values.items()
            if name.startswith(f"{part}.")
        }
        changes[part] = _with(getattr(settings, part), inner)
    return dataclasses.replace(settings, **changes)


class _None:
    """What "none" on the command line stands for, told apart from an option that was not given."""


_NONE = _None()


def _parser_of(kind: Any) -> Callable[[str], Any]:
    """A function from the option's text to its value; argparse turns a ValueError into a usage error."""
    plain, optional = _plain(kind)

    def parse(text: str) -> Any:
        if optional and text.lower() in ("none", "auto"):
            return _NONE
        if plain is bool:
            return {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}[
                text.lower()
            ]
        if typing.get_origin(plain) is tuple:
            return tuple(float(part) for part in text.split(","))
        if typing.get_origin(plain) is Literal:
            return {choice: choice for choice in typing.get_args(plain)}[text]
        return plain(text)

    def parse_or_value_error(text: str) -> Any:
        try:
            return parse(text)
        except KeyError as error:
            raise ValueError(text) from error

    parse_or_value_error.__name__ = _shown(kind)
    return parse_or_value_error


def _plain(kind: Any) -> tuple[Any, bool]:
    """The type without ``None``, and whether ``None`` was allowed."""
    if isinstance(kind, types.UnionType):
        return next(part for part in typing.get_args(kind) if part is not type(None)), True
    return kind, False


def _shown(kind: Any) -> str:
    plain, optional = _plain(kind)
    if typing.get_origin(plain) is Literal:
        return "|".join(typing.get_args(plain))
    if typing.get_origin(plain) is tuple:
        name = "a,b,.."
    else:
        name = {"bool": "on|off"}.get(plain.__name__, plain.__name__)
    return f"{name}|auto" if optional else name
