"""One stage of an adaptation: its state, progress, figures and losses."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QProgressBar, QSizePolicy

from reid_desk.ui import words
from reid_desk.ui.appearance import Appearance
from reid_desk.ui.models.adaptation import Stage
from reid_desk.ui.widgets.layout import Card, row
from reid_desk.ui.widgets.legend import Legend
from reid_desk.ui.widgets.plots import Plot
from reid_desk.ui.widgets.state_label import StateLabel
from reid_desk.ui.widgets.text import label

_PLOT_HEIGHT = 148


class StageCard(Card):
    """Shows a :class:`~reid_desk.ui.models.adaptation.Stage`; ``figures`` puts its key figures into words."""

    def __init__(
        self, title: str, about: str, appearance: Appearance, figures: Callable[[Stage], str]
    ) -> None:
        super().__init__()
        self.setAccessibleName(title)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Expanding)
        self._appearance = appearance
        self._words = figures
        self._stage: Stage | None = None
        self._state = StateLabel()
        self._about = label(about, tone="muted", wrap=True)
        self._bar = QProgressBar(textVisible=False)
        self._bar.setAccessibleName(self.tr("Progress of {stage}").format(stage=title))
        self._figures = label(size="small", wrap=True)
        self._plot = Plot(self.tr("Losses of {stage}").format(stage=title), appearance, height=_PLOT_HEIGHT)
        self._plot.setFixedHeight(_PLOT_HEIGHT)
        self._legend = Legend(appearance)
        self.body.addLayout(row(label(title, size="heading"), None, self._state))
        for part in (self._about, self._bar, self._figures, self._plot, self._legend):
            self.body.addWidget(part)
        self.body.addStretch(1)
        appearance.changed.connect(self._dress)

    def _dress(self) -> None:
        if self._stage is not None:
            self.show_stage(self._stage)

    def show_stage(self, stage: Stage) -> None:
        """Show where ``stage`` stands."""
        self._stage = stage
        self._state.show_state(stage.state, words.state(stage.state), self._appearance.tones)
        running = stage.state == "running"
        self._bar.setVisible(running)
        self._bar.setRange(0, stage.total or 0)
        if stage.total:
            self._bar.setValue(min(stage.done, stage.total))
        self._figures.setText(self._words(stage))
        self._figures.setVisible(bool(self._figures.text()))
        self._plot.setVisible(bool(stage.series))
        self._legend.setVisible(bool(stage.series))
        if stage.series:
            self._plot.show_lines({name: (line.places, line.values) for name, line in stage.series.items()})
            self._legend.show_values(
                {name: f"{stage.figures[name]:.3g}" for name in stage.series if name in stage.figures}
            )
