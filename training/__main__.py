"""``python -m training``: the three stages from the command line."""

from __future__ import annotations

import os

# Waiting threads sleep instead of spinning: beside other work (the desk, a second run) a spinning pool of threads
# costs several times the time, alone nothing that can be measured. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from training.errors import Cancelled, TrainingError, is_out_of_memory
from training.options import add_setting_options, settings_from
from training.plans import PLANS, open_plan
from training.presets import NAMES
from training.progress import Reporter


def main(argv: list[str] | None = None) -> int:
    """Run a command; 0 on success, 2 on bad input (one line on stderr), 130 when interrupted."""
    arguments = _parser().parse_args(argv)
    from training.terminal import open_reporter  # noqa: PLC0415

    main_process = os.environ.get("RANK", "0") == "0"  # of those that a launcher started
    reporter = open_reporter(events=getattr(arguments, "events", False), quiet=not main_process)
    try:
        if arguments.command is not _adapt and os.environ.get("WORLD_SIZE", "1") != "1":
            raise TrainingError("only adapt can be shared by several processes; start this command alone")
        result = arguments.command(arguments, reporter)
    except TrainingError as error:
        reporter.close()
        if main_process:
            print(f"training: error: {error}", file=sys.stderr)
        return 2
    except (MemoryError, RuntimeError) as error:
        if not is_out_of_memory(error):
            if main_process:
                raise
            # As a rule the main process has gone, and has told why.
            print(
                f"training: a process beside the main one stopped: {error}".splitlines()[0], file=sys.stderr
            )
            return 1
        reporter.close()
        print(
            "training: error: there is too little memory for this run; close other programs, or use a smaller batch"
            " (--teacher-student.identities) or preset. What was done is kept, go on with --resume",
            file=sys.stderr,
        )
        return 2
    except (KeyboardInterrupt, Cancelled):
        reporter.close()
        print("training: stopped; what was done is kept, go on with --resume", file=sys.stderr)
        return 130
    reporter.close()
    if main_process:
        print(json.dumps(result, indent=None if getattr(arguments, "json", False) else 2))
    return 0


def _adapt(arguments: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from training import processes  # noqa: PLC0415
    from training.adaptation import adapt  # noqa: PLC0415

    settings = settings_from(arguments)
    with processes.joined(settings.device):
        report = adapt(
            arguments.source,
            arguments.target,
            arguments.out,
            settings,
            test=arguments.test,
            resume=arguments.resume,
            reporter=reporter,
        )
    shown = ("source_only", "pretrained", "adapted")
    figures = ("mAP", "rank1", "rank5", "rank10")
    summary = {
        name: {key: round(report[name][key], 4) for key in figures} for name in shown if name in report
    }
    seconds = {name: round(value, 1) for name, value in report["seconds"].items()}
    return summary | {"seconds": seconds, "clusters": report["clusters"], "out": str(arguments.out)}


def _translate(arguments: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from training.stages import translate_source  # noqa: PLC0415

    images = translate_source(
        arguments.source, arguments.target, arguments.out, settings_from(arguments), resume=arguments.resume,
        reporter=reporter,
    )  # fmt: skip
    return {"images": images, "out": str(arguments.out / "translated")}


def _pretrain(arguments: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from training.stages import pretrain_source  # noqa: PLC0415

    return pretrain_source(
        arguments.source, arguments.target, arguments.out, settings_from(arguments), resume=arguments.resume,
        reporter=reporter,
    )  # fmt: skip


def _teach(arguments: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from training.stages import teach_target  # noqa: PLC0415

    return teach_target(
        arguments.weights, arguments.target, arguments.out, settings_from(arguments), resume=arguments.resume,
        reporter=reporter,
    )  # fmt: skip


def _ablate(arguments: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from training.ablation import ablate  # noqa: PLC0415

    rows = ablate(
        arguments.source, arguments.target, arguments.test, arguments.out, plan=open_plan(arguments.plan),
        settings=settings_from(arguments), seeds=arguments.seeds, reporter=reporter,
    )  # fmt: skip
    return {"rows": rows, "table": str(arguments.out / "table.md")}


def _seeds(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(","))


def _evaluate(arguments: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from training.stages import evaluate_model  # noqa: PLC0415

    return evaluate_model(arguments.model, arguments.data, reporter=reporter)


def _export(arguments: argparse.Namespace, reporter: Reporter) -> dict[str, Any]:
    from training.stages import export_weights  # noqa: PLC0415

    return export_weights(arguments.weights, arguments.out, settings_from(arguments), samples=arguments.data)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m training",
        description="Adapt a person re-identification network to a place without labels.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    run = argparse.ArgumentParser(add_help=False)
    run.add_argument("--out", type=Path, required=True, help="the run folder; made if missing")
    run.add_argument("--preset", default="compact", help=f"one of {', '.join(NAMES)} (default: compact)")
    run.add_argument(
        "--resume", action="store_true", help="continue the run in --out where it stopped, or begin it"
    )
    run.add_argument("--events", action="store_true", help="report as JSON lines on stdout")
    add_setting_options(run)

    adapt = commands.add_parser("adapt", parents=[run], help="all three stages, and the model file")
    adapt.add_argument("--source", type=Path, required=True, help="a labelled data set")
    adapt.add_argument("--target", type=Path, required=True, help="unlabelled crops")
    adapt.add_argument("--test", type=Path, help="a labelled data set to measure on; chooses nothing")
    adapt.set_defaults(command=_adapt)

    translate = commands.add_parser(
        "translate", parents=[run], help="stage 1: source images in the target's look"
    )
    translate.add_argument("--source", type=Path, required=True, help="a labelled data set")
    translate.add_argument("--target", type=Path, required=True, help="unlabelled crops")
    translate.set_defaults(command=_translate)

    pretrain = commands.add_parser("pretrain", parents=[run], help="stage 2: learn from a labelled data set")
    pretrain.add_argument("--source", type=Path, required=True, help="a labelled data set, translated or not")
    pretrain.add_argument("--target", type=Path, help="unlabelled crops that the norms see")
    pretrain.set_defaults(command=_pretrain)

    teach = commands.add_parser("teach", parents=[run], help="stage 3: adapt to unlabelled crops")
    teach.add_argument("--weights", type=Path, required=True, help="weights of stage 2 (.safetensors)")
    teach.add_argument("--target", type=Path, required=True, help="unlabelled crops")
    teach.set_defaults(command=_teach)

    ablate = commands.add_parser("ablate", parents=[run], help="variants of a run side by side, in one table")
    ablate.add_argument("--source", type=Path, required=True, help="a labelled data set")
    ablate.add_argument("--target", type=Path, required=True, help="unlabelled crops")
    ablate.add_argument("--test", type=Path, required=True, help="a labelled data set to measure on")
    ablate.add_argument(
        "--plan", required=True, help=f"one of {', '.join(PLANS)}, or a TOML file of variants"
    )
    ablate.add_argument("--seeds", type=_seeds, default=(0,), metavar="N,N,..", help="default: 0")
    ablate.set_defaults(command=_ablate)

    evaluate = commands.add_parser("evaluate", help="CMC and mAP of a model file on a labelled data set")
    evaluate.add_argument("--model", type=Path, required=True, help="an ONNX model file")
    evaluate.add_argument("--data", type=Path, required=True, help="a labelled data set")
    evaluate.add_argument("--json", action="store_true", help="one JSON document on one line")
    evaluate.set_defaults(command=_evaluate)

    export = commands.add_parser("export", parents=[run], help="weights to an ONNX model file")
    export.add_argument("--weights", type=Path, required=True, help="weights of a run (.safetensors)")
    export.add_argument("--data", type=Path, required=True, help="crops that the export is checked on")
    export.set_defaults(command=_export)
    return parser


if __name__ == "__main__":
    sys.exit(main())
