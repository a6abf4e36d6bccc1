"""``python -m reid_desk`` is ``reid-desk``; the entry of frozen builds."""

import multiprocessing
import sys

from reid_desk.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(main())
