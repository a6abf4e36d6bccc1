"""The colours of the window, light and dark, each with its one meaning.

Contrast of every text tone against the surfaces it stands on is at least 4.5:1 (WCAG AA); tests check it.
"""

from __future__ import annotations

from dataclasses import dataclass

from PySide6.QtGui import QColor, QPalette


@dataclass(frozen=True)
class Tones:
    """One colour scheme, as ``#rrggbb``."""

    window: str  # behind everything
    rail: str  # the rail of pages and the status bar
    surface: str  # cards, lists, fields
    sunken: str  # inside a card: previews, placeholders of thumbnails
    hover: str  # under the pointer
    border: str  # hairlines around cards
    strong_border: str  # outline of what can be pressed or typed into (3:1)
    text: str
    muted: str  # secondary text
    accent: str  # the one action of a page, selection, focus
    accent_hover: str
    accent_soft: str  # a selected row
    on_accent: str
    good: str
    warning: str
    bad: str
    second: str  # the second curve of a plot


LIGHT = Tones(
    window="#f4f5f8",
    rail="#eceef3",
    surface="#ffffff",
    sunken="#eef0f4",
    hover="#e4e8f0",
    border="#dde1e8",
    strong_border="#8a93a1",
    text="#1a1f27",
    muted="#59626f",
    accent="#2a5bd0",
    accent_hover="#214bb0",
    accent_soft="#dfe8fb",
    on_accent="#ffffff",
    good="#1a7344",
    warning="#8a5700",
    bad="#b3261e",
    second="#7a8494",
)

DARK = Tones(
    window="#14171c",
    rail="#101317",
    surface="#1c2026",
    sunken="#14171c",
    hover="#282e37",
    border="#2c323b",
    strong_border="#6d7785",
    text="#e7eaef",
    muted="#9ea8b6",
    accent="#85aaff",
    accent_hover="#a3c0ff",
    accent_soft="#263556",
    on_accent="#0d1524",
    good="#6fcf97",
    warning="#f0bd63",
    bad="#ff8f87",
    second="#8b95a5",
)


def palette(tones: Tones) -> QPalette:
    """Return the Qt palette that speaks ``tones``, so that plain widgets need no style sheet."""
    made = QPalette()
    role = QPalette.ColorRole
    for where, colour in {
        role.Window: tones.window,
        role.WindowText: tones.text,
        role.Base: tones.surface,
        role.AlternateBase: tones.sunken,
        role.Text: tones.text,
        role.Button: tones.surface,
        role.ButtonText: tones.text,
        role.BrightText: tones.bad,
        role.ToolTipBase: tones.surface,
        role.ToolTipText: tones.text,
        role.PlaceholderText: tones.muted,
        role.Highlight: tones.accent,
        role.HighlightedText: tones.on_accent,
        role.Accent: tones.accent,
        role.Link: tones.accent,
        role.LinkVisited: tones.accent,
        role.Light: tones.surface,
        role.Midlight: tones.border,
        role.Mid: tones.strong_border,
        role.Dark: tones.strong_border,
        role.Shadow: tones.border,
    }.items():
        made.setColor(where, QColor(colour))
    disabled = QPalette.ColorGroup.Disabled
    faint = QColor(tones.muted)
    faint.setAlphaF(0.6)
    for where in (role.WindowText, role.Text, role.ButtonText, role.HighlightedText):
        made.setColor(disabled, where, faint)
    made.setColor(disabled, role.Highlight, QColor(tones.border))
    return made
