"""The style sheet: what Fusion and the palette cannot say. Spacing keeps to a grid of 8 px, 4 in controls."""

from __future__ import annotations

from string import Template

from reid_desk.ui.tones import Tones

_SHEET = Template("""
QWidget { selection-background-color: $accent; selection-color: $on_accent; }
QToolTip { background: $surface; color: $text; border: 1px solid $border; padding: 4px 8px; }

QLabel[tone="muted"] { color: $muted; }
QLabel[tone="good"] { color: $good; }
QLabel[tone="warning"] { color: $warning; }
QLabel[tone="bad"] { color: $bad; }

QFrame[role="card"] { background: $surface; border: 1px solid $border; border-radius: 10px; }
QFrame[role="sunken"] { background: $sunken; border: none; border-radius: 8px; }
QFrame[role="rail"] { background: $rail; border: none; border-right: 1px solid $border; }
QFrame[role="line"] { background: $border; border: none; }
QFrame[role="drop"] { background: $accent_soft; border: 2px dashed $accent; border-radius: 12px; }
QFrame[role="banner-info"], QFrame[role="banner-warning"], QFrame[role="banner-bad"] {
    background: $surface; border: 1px solid $border; border-radius: 8px; border-left: 4px solid $accent; }
QFrame[role="banner-warning"] { border-left-color: $warning; }
QFrame[role="banner-bad"] { border-left-color: $bad; }

QPushButton { background: $surface; color: $text; border: 1px solid $strong_border; border-radius: 6px;
    padding: 6px 14px; min-height: 18px; }
QPushButton:hover { background: $hover; }
QPushButton:pressed { background: $accent_soft; }
QPushButton:focus { border: 2px solid $accent; padding: 5px 13px; }
QPushButton:disabled { color: $muted; border-color: $border; background: transparent; }
QPushButton[kind="primary"] { background: $accent; color: $on_accent; border: 1px solid $accent;
    font-weight: 600; }
QPushButton[kind="primary"]:hover { background: $accent_hover; border-color: $accent_hover; }
QPushButton[kind="primary"]:focus { border: 2px solid $text; padding: 5px 13px; }
QPushButton[kind="primary"]:disabled { background: $hover; color: $muted; border-color: $border; }
QPushButton[size="big"] { padding: 11px 28px; border-radius: 8px; }
QPushButton[size="big"]:focus { padding: 10px 27px; }
QPushButton[kind="quiet"] { background: transparent; border: 1px solid transparent; padding: 6px 8px; }
QPushButton[kind="quiet"]:hover { background: $hover; }
QPushButton[kind="quiet"]:focus { border: 2px solid $accent; padding: 5px 7px; }

QToolButton { background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 5px; }
QToolButton:hover { background: $hover; }
QToolButton:focus { border: 1px solid $accent; }
QToolButton:checked { background: $accent_soft; }
QToolButton[role="page"] { padding: 9px 12px; text-align: left; border-radius: 8px; }
QToolButton[role="page"]:checked { font-weight: 600; color: $accent; }

QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox, QDateTimeEdit { background: $surface; color: $text;
    border: 1px solid $strong_border; border-radius: 6px; padding: 5px 8px; min-height: 18px; }
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus, QDateTimeEdit:focus {
    border: 2px solid $accent; padding: 4px 7px; }
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled { color: $muted; border-color: $border; }
QComboBox::drop-down, QDateTimeEdit::drop-down { border: none; width: 24px; }
QComboBox::down-arrow, QSpinBox::down-arrow, QDateTimeEdit::down-arrow {
    image: url("$icons/chevron-$scheme.svg"); width: 12px; height: 12px; }
QSpinBox::up-arrow { image: url("$icons/chevron-up-$scheme.svg"); width: 12px; height: 12px; }
QSpinBox::up-button, QSpinBox::down-button { border: none; background: transparent; width: 22px; }
QSpinBox::up-button:hover, QSpinBox::down-button:hover { background: $hover; border-radius: 4px; }

QCheckBox, QRadioButton { spacing: 8px; }
QCheckBox::indicator, QListView::indicator, QRadioButton::indicator { width: 14px; height: 14px;
    background: $surface; border: 1px solid $strong_border; border-radius: 4px; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:hover, QListView::indicator:hover, QRadioButton::indicator:hover { background: $hover; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus {
    border: 2px solid $accent; width: 12px; height: 12px; }
QCheckBox::indicator:checked, QListView::indicator:checked { background: $accent; border-color: $accent;
    image: url("$icons/tick-$scheme.svg"); }
QRadioButton::indicator:checked { background: $accent; border-color: $accent;
    image: url("$icons/dot-$scheme.svg"); }
QCheckBox:focus, QRadioButton:focus { color: $accent; }

QSlider::groove:horizontal { background: $border; height: 4px; border-radius: 2px; }
QSlider::sub-page:horizontal { background: $accent; border-radius: 2px; }
QSlider::handle:horizontal { background: $surface; border: 2px solid $accent; width: 12px; height: 12px;
    margin: -6px 0; border-radius: 8px; }
QSlider::handle:horizontal:focus { background: $accent; }
QComboBox QAbstractItemView { background: $surface; border: 1px solid $border; padding: 4px; outline: none; }
QComboBox QAbstractItemView::item { min-height: 26px; padding: 0 8px; }

QProgressBar { background: $sunken; border: 1px solid $border; border-radius: 4px;
    min-height: 6px; max-height: 6px; text-align: center; }
QProgressBar::chunk { background: $accent; border-radius: 3px; }

QTabBar { background: transparent; }
QTabBar::tab { background: transparent; color: $muted; padding: 8px 4px; margin-right: 20px;
    border: none; border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: $text; border-bottom: 2px solid $accent; font-weight: 600; }
QTabBar::tab:hover { color: $text; }
QTabBar::tab:focus { color: $accent; }

QAbstractItemView { background: $surface; border: 1px solid $border; border-radius: 10px; outline: none; }
QTableView, QTreeView { gridline-color: transparent; alternate-background-color: $surface;
    selection-background-color: $accent_soft; selection-color: $text; }
QTableView::item, QTreeView::item { padding: 4px 10px; border-bottom: 1px solid $border; }
QTableView::item:selected, QTreeView::item:selected { background: $accent_soft; color: $text; }
QListWidget::item { padding: 6px 8px; border-radius: 6px; }
QListWidget::item:selected { background: $accent_soft; color: $text; }
QListWidget::item:hover { background: $hover; }
QListView[role="plain"] { background: transparent; border: none; border-radius: 0; }
QListView[role="plain"]::item { padding: 3px 2px; border-radius: 4px; }
QListView[role="plain"]::item:selected { background: $accent_soft; color: $text; }
QHeaderView { background: transparent; border: none; border-radius: 0; margin: 0 1px; }
QHeaderView::section { background: transparent; color: $muted; border: none; border-bottom: 1px solid $border;
    padding: 8px 10px; font-weight: 600; }

QScrollBar:vertical { background: transparent; width: 12px; margin: 2px; }
QScrollBar:horizontal { background: transparent; height: 12px; margin: 2px; }
QScrollBar::handle { background: $strong_border; border-radius: 4px; }
QScrollBar::handle:vertical { min-height: 32px; }
QScrollBar::handle:horizontal { min-width: 32px; }
QScrollBar::handle:hover { background: $muted; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QScrollArea { background: transparent; border: none; }
QAbstractScrollArea::corner { background: transparent; }

QStatusBar { background: $rail; border-top: 1px solid $border; }
QStatusBar::item { border: none; }
QMenuBar { background: $rail; }
QMenuBar::item { padding: 5px 10px; background: transparent; border-radius: 4px; }
QMenuBar::item:selected { background: $hover; }
QMenu { background: $surface; border: 1px solid $border; padding: 4px; }
QMenu::item { padding: 6px 28px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: $accent_soft; color: $text; }
QMenu::item:disabled { color: $muted; }
QMenu::separator { height: 1px; background: $border; margin: 4px 8px; }
QMenu::icon { padding-left: 8px; }
QSplitter::handle { background: transparent; }
QTextBrowser, QPlainTextEdit { background: $surface; border: 1px solid $border; border-radius: 10px;
    padding: 8px; }
""")


def style_sheet(tones: Tones, *, icons: str, scheme: str) -> str:
    """Return the application's style sheet in ``tones``.

    ``icons`` is the folder of the images for marks and arrows, ``scheme`` (``light``, ``dark``) their ending.
    """
    return _SHEET.substitute(vars(tones), icons=icons, scheme=scheme)
