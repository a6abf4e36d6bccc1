import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from training import style_transfer
from training.errors import Cancelled, TrainingError
from training.networks.generators import Generator
from training.optimisation import rate_factor
from training.progress import Silent
from training.settings import StyleTransferSettings
from training.style_transfer import train_style_transfer
from training.translation import contact_sheet, translate

CPU = torch.device("cpu")
TINY = StyleTransferSettings(
    blocks=1,
    filters=4,
    discriminator_filters=4,
    siamese_filters=4,
    epochs=2,
    iterations_per_epoch=3,
    batch_size=2,
    height=64,
    width=64,
    pool_size=3,
)


class Recorder(Silent):
    """Keeps what it is told; cancels before iteration ``cancel_at``."""

    def __init__(self, cancel_at: int | None = None) -> None:
        self.cancel_at = cancel_at
        self.asked = 0
        self.steps: list[tuple[int, int | None]] = []
        self.metrics: list[dict[str, float]] = []
        self.images: list[tuple[str, Path]] = []

    def progress(self, done: int, total: int | None) -> None:
        self.steps.append((done, total))

    def metric(self, **values: float) -> None:
        self.metrics.append(values)

    def image(self, name: str, path: Path) -> None:
        self.images.append((name, path))

    def check_cancelled(self) -> None:
        if self.asked == self.cancel_at:
            raise Cancelled
        self.asked += 1


@pytest.fixture(autouse=True)
def _one_thread() -> Any:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def _domain(colour: tuple[int, int, int], seed: int, count: int = 12) -> NDArray[np.uint8]:
    """Figures of varied brightness on a ground, under light of ``colour``."""
    rng = np.random.default_rng(seed)
    images = np.full((count, 64, 64, 3), 120.0)
    images[:, 8:56, 20:44] = rng.uniform(40, 220, (count, 1, 1, 1))
    images += rng.normal(0, 10, images.shape)
    return np.clip(images * np.array(colour) / 128, 0, 255).astype(np.uint8)


SOURCE, TARGET = _domain((110, 120, 150), 0), _domain((150, 125, 90), 1)


def _train(settings: StyleTransferSettings = TINY, **arguments: Any) -> Generator:
    arguments = {"device": "cpu", "seed": 7, "reporter": Silent(), **arguments}
    return train_style_transfer(SOURCE, TARGET, settings, **arguments)


def _same(first: Generator, second: Generator) -> bool:
    a, b = first.state_dict(), second.state_dict()
    return all(torch.equal(a[name], b[name]) for name in a)


def _distance(images: NDArray[np.uint8]) -> float:
    """How far the mean colour lies from the target's, in levels."""
    return float(np.abs(images.mean((0, 1, 2)) - TARGET.mean((0, 1, 2))).max())


def test_learns_a_colour_cast_from_noise() -> None:
    settings = dataclasses.replace(
        TINY, epochs=1, iterations_per_epoch=60, learning_rate=5e-3, generator_every=1
    )
    translated = translate(_train(settings), SOURCE, device="cpu", reporter=Silent())
    assert _distance(SOURCE) > 50
    assert _distance(translated) < 0.25 * _distance(SOURCE)
    # Still the same pictures: bright figures stay bright.
    figures = (slice(None), slice(16, 48), slice(24, 40))
    before, after = SOURCE[figures].mean((1, 2, 3)), translated[figures].mean((1, 2, 3))
    assert np.corrcoef(before, after)[0, 1] > 0.5


def test_residual_training_starts_from_the_colour_map() -> None:
    settings = dataclasses.replace(TINY, residual=True, epochs=1, iterations_per_epoch=1, learning_rate=0.0)
    translated = translate(_train(settings), SOURCE, device="cpu", reporter=Silent())
    assert _distance(translated) < 3


def test_same_seed_same_generator_other_seed_another() -> None:
    assert _same(_train(), _train())
    assert not _same(_train(), _train(seed=8))


def test_torchs_own_randomness_is_left_alone() -> None:
    torch.manual_seed(3)
    before = torch.get_rng_state()
    _train()
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("cancel_at", [0, 2, 3, 5])
def test_cancelled_run_resumes_to_the_same_bits(tmp_path: Path, cancel_at: int) -> None:
    checkpoint = tmp_path / "style.pt"
    with pytest.raises(Cancelled):
        _train(checkpoint=checkpoint, reporter=Recorder(cancel_at))
    recorder = Recorder()
    resumed = _train(checkpoint=checkpoint, reporter=recorder)
    assert recorder.asked == 6 - cancel_at
    assert _same(resumed, _train())


def test_killed_run_resumes_from_its_last_epoch_to_the_same_bits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checkpoint = tmp_path / "style.pt"
    steps = Counter[str]()
    step = style_transfer._Training.step

    def dies(training: style_transfer._Training) -> None:
        steps["done"] += 1
        if steps["done"] == 5:
            raise KeyboardInterrupt
        step(training)

    with monkeypatch.context() as patch:
        patch.setattr(style_transfer._Training, "step", dies)
        with pytest.raises(KeyboardInterrupt):
            _train(checkpoint=checkpoint)
    recorder = Recorder()
    assert _same(_train(checkpoint=checkpoint, reporter=recorder), _train())
    assert recorder.asked == 3


def test_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    checkpoint = tmp_path / "style.pt"
    first = _train(checkpoint=checkpoint)
    recorder = Recorder(cancel_at=0)
    assert _same(_train(checkpoint=checkpoint, reporter=recorder), first)


def test_checkpoint_of_other_settings_is_refused(tmp_path: Path) -> None:
    checkpoint = tmp_path / "style.pt"
    _train(checkpoint=checkpoint)
    with pytest.raises(TrainingError, match="other settings"):
        _train(dataclasses.replace(TINY, margin=1.0), checkpoint=checkpoint)
    with pytest.raises(TrainingError, match="another seed"):
        _train(checkpoint=checkpoint, seed=8)


def _training(**changes: Any) -> style_transfer._Training:
    return style_transfer._Training(
        SOURCE, TARGET, dataclasses.replace(TINY, **changes), CPU, 0, bfloat16=False
    )


def _count_passes(training: style_transfer._Training) -> Counter[str]:
    images = Counter[str]()

    def counting(name: str) -> Any:
        def hook(_module: Any, inputs: tuple[torch.Tensor, ...]) -> None:
            images[name] += len(inputs[0])

        return hook

    for name, network in training.networks.named_children():
        network.register_forward_pre_hook(counting(name))
    return images


def test_iterations_that_leave_the_generators_alone_only_translate() -> None:
    training = _training(generator_every=2)
    passes = _count_passes(training)
    training.step()
    # Translation, identity and restoration.
    assert passes["to_target"] == passes["to_source"] == 3 * TINY.batch_size
    passes.clear()
    generators = [p.clone() for p in training.networks.to_target.parameters()]
    judges = [p.clone() for p in training.networks.judge_target.parameters()]
    training.step()
    assert passes["to_target"] == passes["to_source"] == TINY.batch_size
    assert all(map(torch.equal, generators, training.networks.to_target.parameters()))
    assert not all(map(torch.equal, judges, training.networks.judge_target.parameters()))


def test_identity_pass_is_left_out_where_it_weighs_nothing() -> None:
    training = _training(identity_weight=0.0)
    passes = _count_passes(training)
    training.step()
    assert passes["to_target"] == passes["to_source"] == 2 * TINY.batch_size


def test_contrastive_gradient_reaches_both_generators() -> None:
    # With every other weight at 0 and fooled judges switched off, only eq 5 can move the generators.
    training = _training(cycle_weight=0.0, identity_weight=0.0, contrastive_from_epoch=0)
    for judge in (training.networks.judge_target, training.networks.judge_source):
        torch.nn.init.zeros_(judge.layers[-1].weight)  # type: ignore[arg-type]
    x = training._views(SOURCE, training.orders[0])
    y = training._views(TARGET, training.orders[1])
    training._improve_generators(x, y)
    for generator in (training.networks.to_target, training.networks.to_source):
        gradients = [p.grad for p in generator.parameters()]
        assert all(g is not None and torch.isfinite(g).all() for g in gradients)
        assert sum(float(g.abs().sum()) for g in gradients if g is not None) > 0


def test_contrastive_loss_waits_for_its_epoch() -> None:
    training = _training(contrastive_from_epoch=1)
    passes = _count_passes(training)
    seen = []
    for _ in range(2 * TINY.iterations_per_epoch):
        passes.clear()
        training.step()
        seen.append(passes["siamese"] // (4 * TINY.batch_size))
    # Once an iteration for SiaNet itself; once more where the generators learn (0, 2, 4) from epoch 1 (3 on).
    assert seen == [1, 1, 1, 1, 2, 1]


def test_learning_generators_leaves_the_judges_without_gradients() -> None:
    training = _training(contrastive_from_epoch=0)
    x = training._views(SOURCE, training.orders[0])
    y = training._views(TARGET, training.orders[1])
    training._improve_generators(x, y)
    n = training.networks
    for network in (n.judge_target, n.judge_source, n.siamese):
        assert all(p.grad is None and p.requires_grad for p in network.parameters())


def test_rate_is_constant_then_falls_to_zero() -> None:
    factors = [rate_factor(i, 100, schedule="linear", decay_from=0.5) for i in (0, 50, 75, 99)]
    assert factors == pytest.approx([1, 1, 0.5, 0.02])
    assert rate_factor(99, 100, schedule="linear", decay_from=1.0) == 1


def test_reports_progress_losses_and_a_sheet_each_epoch(tmp_path: Path) -> None:
    recorder = Recorder()
    _train(previews=tmp_path / "previews", reporter=recorder)
    assert recorder.steps[-1] == (6, 6)
    assert {"generator", "discriminator", "siamese", "epoch"} == set(recorder.metrics[-1])
    assert [m["epoch"] for m in recorder.metrics if m["epoch"] == 2]
    assert [name for name, _ in recorder.images] == ["translation", "translation"]
    assert all(path.exists() for _, path in recorder.images)


def test_divergence_is_an_error_not_a_model() -> None:
    with pytest.raises(TrainingError, match="diverged"):
        _train(dataclasses.replace(TINY, learning_rate=float("inf")))


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((0, 64, 64, 3), np.uint8), "no source images"),
        (np.zeros((2, 64, 64), np.uint8), "must be uint8"),
        (np.zeros((2, 64, 64, 3), np.float32), "must be uint8"),
    ],
)
def test_unusable_images_are_one_clear_line(images: Any, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        train_style_transfer(images, TARGET, TINY, device="cpu", seed=0, reporter=Silent())


def test_translation_to_a_file_equals_translation_in_memory(tmp_path: Path) -> None:
    generator = _train()
    recorder = Recorder()
    in_memory = translate(generator, SOURCE, device="cpu", batch_size=5, reporter=recorder)
    assert recorder.steps == [(5, 12), (10, 12), (12, 12)]
    out = tmp_path / "translated" / "images.npy"
    mapped = translate(generator, SOURCE, device="cpu", batch_size=5, out=out, reporter=Silent())
    assert in_memory.shape == SOURCE.shape
    assert in_memory.dtype == np.uint8
    assert np.array_equal(mapped, in_memory)
    assert np.array_equal(np.load(out), in_memory)
    assert list(out.parent.iterdir()) == [out]


def test_cancelled_translation_leaves_no_file_that_looks_complete(tmp_path: Path) -> None:
    out = tmp_path / "images.npy"
    with pytest.raises(Cancelled):
        translate(_train(), SOURCE, device="cpu", batch_size=5, out=out, reporter=Recorder(cancel_at=1))
    assert not out.exists()


def test_sheet_shows_each_source_image_above_its_translation(tmp_path: Path) -> None:
    path = tmp_path / "sheets" / "sheet.png"
    contact_sheet(SOURCE[:3], 255 - SOURCE[:3], path)
    sheet = np.asarray(Image.open(path))
    assert sheet.shape == (2 * 64 + 2, 3 * 64 + 2 * 2, 3)
    assert np.array_equal(sheet[:64, 66:130], SOURCE[1])
    assert np.array_equal(sheet[66:, 66:130], 255 - SOURCE[1])
