"""How the cells of the tables are aligned: words on the left, figures on the right."""

from __future__ import annotations

from PySide6.QtCore import Qt


def alignment(*, figures: bool) -> Qt.AlignmentFlag:
    """Return the alignment of a column of ``figures`` or of words."""
    side = Qt.AlignmentFlag.AlignRight if figures else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter
