"""Every command of ReID Desk; one thin module each.

Nothing heavy is imported before a command needs it: ``reid-desk --help`` answers at once.

Exit code 0 on success, 2 on what a user can mend (one line on stderr says what, why, what to do), 130 when
interrupted, 1 on a fault of ours.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from typing import NoReturn

from reid_desk import __version__
from reid_desk.cli import (
    adapt_command,
    clip_command,
    demo_command,
    desk_command,
    doctor_command,
    evaluate_command,
    import_command,
    model_commands,
    search_command,
    source_command,
)
from reid_desk.cli.answer import Answer
from reid_desk.errors import printable
from reid_desk.jobs.failures import CANCELLATIONS, failure_of

PROGRAM = "reid-desk"
INTERRUPTED = 130
"""What shells call a program that was ended by Ctrl-C."""

_COMMANDS = (
    demo_command,
    import_command,
    clip_command,
    source_command,
    adapt_command,
    search_command,
    evaluate_command,
    model_commands,
    doctor_command,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code; see the module."""
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["worker"]:
        # Not for people: a frozen build calls itself so, see reid_desk.jobs.spec.worker_command.
        from reid_desk.jobs.worker import main as work  # noqa: PLC0415 - only in a worker

        return work(arguments[1:])
    try:
        return _run(arguments)
    except BrokenPipeError:
        # Whoever read our output (head, less) has seen enough; Python must not flush it once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 1
    except CANCELLATIONS:
        _complain("interrupted; what was done so far is kept.")
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last one who can tell the user
        return _explain(error)


def build_parser() -> argparse.ArgumentParser:
    """The parser of all commands but the bare ``reid-desk [SITE]``."""
    parser = _Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} [SITE]\n       {PROGRAM} COMMAND ...",
        description="Turn a site's own camera footage into a person search that works at that site. "
        "Without a command, the desk opens (on SITE, if given).",
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", prog=PROGRAM, required=True)
    for module in _COMMANDS:
        module.add(commands)
    return parser


def _run(arguments: list[str]) -> int:
    parser = build_parser()
    if not arguments or not (arguments[0].startswith("-") or arguments[0] in _command_names(parser)):
        return desk_command.run(arguments, _command_names(parser))
    parsed = parser.parse_args(arguments)
    with redirect_stdout(sys.stderr):  # libraries that print must not spoil an answer
        answer: Answer = parsed.run(parsed)
    text = answer.as_json() if getattr(parsed, "json", False) else answer.text
    if text:
        sys.stdout.write(printable(text) + "\n")
        sys.stdout.flush()
    return answer.code if answer.afterwards is None else answer.afterwards()


def _command_names(parser: argparse.ArgumentParser) -> list[str]:
    (commands,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    return list(commands.choices)


def _explain(error: Exception) -> int:
    failure = failure_of(error)
    if failure.details:
        sys.stderr.write(failure.details)
    _complain(f"{failure.message} {failure.hint}".strip())
    return 1 if failure.category == "crash" else 2


def _complain(text: str) -> None:
    sys.stderr.write(f"{PROGRAM}: error: {text}\n")


class _Parser(argparse.ArgumentParser):
    """Complains about arguments in one line, as every command does about its input."""

    def error(self, message: str) -> NoReturn:
        _complain(f"{message} (see: {self.prog} --help)")
        self.exit(2)
