from __future__ import annotations

import re
from dataclasses import asdict

import pytest
from PySide6.QtGui import QColor, QPalette
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication

import resources
from reid_desk.ui import icons
from reid_desk.ui.actions import SPECS
from reid_desk.ui.app import App
from reid_desk.ui.appearance import Scheme
from reid_desk.ui.tones import DARK, LIGHT, Tones


def _contrast(first: str, second: str) -> float:
    def luminance(colour: str) -> float:
        channels = [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("tones", [LIGHT, DARK])
def test_text_can_be_read_on_everything_it_stands_on(tones: Tones) -> None:
    for ground in (tones.window, tones.rail, tones.surface, tones.accent_soft, tones.sunken):
        for text in (tones.text, tones.muted):
            assert _contrast(text, ground) >= 4.5, (text, ground)
    for text in (tones.good, tones.warning, tones.bad, tones.accent):
        assert _contrast(text, tones.surface) >= 4.5, text
    assert _contrast(tones.on_accent, tones.accent) >= 4.5
    assert _contrast(tones.on_accent, tones.accent_hover) >= 4.5
    assert _contrast(tones.strong_border, tones.surface) >= 3.0


def test_the_window_turns_dark_and_light_and_remembers_it(desk_app: App, qapp: QApplication) -> None:
    desk_app.appearance.choose(Scheme.DARK)
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(DARK.window)
    desk_app.appearance.choose(Scheme.LIGHT)
    assert qapp.palette().color(QPalette.ColorRole.Window) == QColor(LIGHT.window)
    assert desk_app.preferences.text("appearance") == "light"


def test_the_style_sheet_has_no_gap_left(desk_app: App, qapp: QApplication) -> None:
    assert "$" not in qapp.styleSheet()
    for path in re.findall(r'url\("([^"]+)"\)', qapp.styleSheet()):
        assert QSvgRenderer(path).isValid(), path


@pytest.mark.parametrize("name", sorted({spec.icon for spec in SPECS if spec.icon}))
def test_icons_are_drawn_in_the_colour_asked_for(desk_app: App, name: str) -> None:
    source = resources.read_text(f"icons/{name}.svg")
    assert "currentColor" in source
    assert not re.search(r"#[0-9a-fA-F]{3,}", source)
    drawn = icons.pixmap(name, 24, QColor("#ff0000"), ratio=1.0).toImage()
    solid = {
        drawn.pixelColor(x, y).name()
        for x in range(24)
        for y in range(24)
        if drawn.pixelColor(x, y).alpha() > 200
    }
    assert solid <= {"#ff0000", "#fe0000"}
    assert solid


def test_tones_are_colours() -> None:
    for tones in (LIGHT, DARK):
        assert all(re.fullmatch(r"#[0-9a-f]{6}", colour) for colour in asdict(tones).values())
