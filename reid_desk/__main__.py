"""``python -m reid_desk`` is ``reid-desk``; the entry of frozen builds."""

import multiprocessing
import sys

INTERRUPTED = 130


def main() -> int:
    """Run the command line; a Ctrl-C while its modules are still being loaded ends it in a line as well."""
    try:
        from reid_desk.cli import main as command  # noqa: PLC0415 - so that an interrupt of it is caught
    except KeyboardInterrupt:
        sys.stderr.write("reid-desk: error: interrupted; nothing was done.\n")
        return INTERRUPTED
    return command()


if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(main())
