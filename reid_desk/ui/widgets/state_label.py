"""A state told by an icon and a word, and a colour besides."""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor
from PySide6.QtWidgets import QWidget

from reid_desk.ui.tones import Tones
from reid_desk.ui.widgets.icon_label import IconLabel
from reid_desk.ui.widgets.layout import row
from reid_desk.ui.widgets.text import Tone, label, set_tone


@dataclass(frozen=True)
class StateLook:
    """How a state looks: icon, tone of its text."""

    icon: str
    tone: Tone


LOOKS = {
    "waiting": StateLook("waiting", "muted"),
    "queued": StateLook("waiting", "muted"),
    "starting": StateLook("running", "plain"),
    "running": StateLook("running", "plain"),
    "importing": StateLook("running", "plain"),
    "cancelling": StateLook("stop", "warning"),
    "cancelled": StateLook("stop", "muted"),
    "interrupted": StateLook("stop", "warning"),
    "finished": StateLook("done", "good"),
    "imported": StateLook("done", "good"),
    "failed": StateLook("error", "bad"),
}


def tone_colour(tones: Tones, tone: Tone) -> QColor:
    """Return the colour of ``tone``."""
    return QColor(
        {
            "plain": tones.text,
            "muted": tones.muted,
            "good": tones.good,
            "warning": tones.warning,
            "bad": tones.bad,
        }[tone]
    )


class StateLabel(QWidget):
    """Shows one state."""

    def __init__(self) -> None:
        super().__init__()
        self._icon = IconLabel("waiting", 16)
        self._text = label(size="small")
        self.setLayout(row(self._icon, self._text, spacing=6))

    def show_state(self, state: str, text: str, tones: Tones) -> None:
        """Show ``state`` (one of :data:`LOOKS`) in the words ``text``."""
        look = LOOKS[state]
        self._icon.show_icon(look.icon, colour=tone_colour(tones, look.tone))
        self._text.setText(text)
        set_tone(self._text, look.tone)
        self.setAccessibleName(text)
