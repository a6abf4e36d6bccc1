"""``python -m training`` that reports the figures of every step, for tests that compare runs."""

from __future__ import annotations

import sys
from unittest.mock import patch

from training.__main__ import main

with (
    patch("training.pretraining.REPORT_EVERY", -1.0),
    patch("training.teacher_student.REPORT_EVERY", -1.0),
    patch("training.style_transfer._REPORT_EVERY", -1.0),
):
    sys.exit(main())
