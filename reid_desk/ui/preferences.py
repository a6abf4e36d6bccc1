"""What the desk remembers between starts, whatever the site: window, appearance, recent sites."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QByteArray, QSettings

_RECENT_SITES = 8


class Preferences:
    """A typed face of ``QSettings``."""

    def __init__(self, settings: QSettings | None = None) -> None:
        self._settings = settings or QSettings("ReID Desk", "ReID Desk")

    def text(self, key: str, default: str = "") -> str:
        """Return the text stored under ``key``."""
        found = self._settings.value(key, default)
        return found if isinstance(found, str) else default

    def set_text(self, key: str, value: str) -> None:
        """Remember ``value`` under ``key``."""
        self._settings.setValue(key, value)

    def state(self, key: str) -> QByteArray | None:
        """Return a widget's stored geometry or state."""
        found = self._settings.value(key)
        return found if isinstance(found, QByteArray) else None

    def set_state(self, key: str, value: QByteArray) -> None:
        """Remember a widget's geometry or state."""
        self._settings.setValue(key, value)

    def recent_sites(self) -> list[Path]:
        """Return the sites opened last, newest first, that are still there."""
        found = self._settings.value("recent_sites", [])
        names = [found] if isinstance(found, str) else found if isinstance(found, list) else []
        return [path for path in map(Path, names) if (path / "site.db").is_file()]

    def remember_site(self, path: Path) -> None:
        """Put ``path`` at the top of the recent sites."""
        path = path.resolve()
        others = [known for known in self.recent_sites() if known != path]
        self._settings.setValue("recent_sites", [str(site) for site in [path, *others][:_RECENT_SITES]])
