from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from reid_desk.demo import DemoFootage, DemoSettings, generate
from reid_desk.demo.truth import read_truth
from tests.demo.conftest import Recorder, StopAskedForError


def _digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def _frames(clip: Path) -> Iterator[np.ndarray]:
    with av.open(str(clip)) as container:
        for frame in container.decode(video=0):
            yield frame.to_ndarray(format="rgb24")


def test_every_clip_plays_to_the_last_frame_the_truth_knows(
    demo: DemoFootage, settings: DemoSettings
) -> None:
    truth = read_truth(demo.truth)
    for camera in settings.cameras:
        clip = demo.clips[camera.name]
        shapes = [frame.shape for frame in _frames(clip)]
        assert set(shapes) == {(camera.height, camera.width, 3)}
        last = int(truth[clip.name].frame.max())
        assert last < len(shapes) <= last + 1 + settings.fps
        with av.open(str(clip)) as container:
            assert container.streams.video[0].average_rate == settings.fps


def test_a_clip_begins_with_the_empty_scene(demo: DemoFootage, settings: DemoSettings) -> None:
    for clip, truth in read_truth(demo.truth).items():
        assert truth.frame.min() >= settings.lead_in * settings.fps, clip


def test_everybody_passes_every_camera(demo: DemoFootage, settings: DemoSettings) -> None:
    for truth in read_truth(demo.truth).values():
        assert set(truth.identity) == set(range(settings.people))


def test_clips_start_at_the_given_times(demo: DemoFootage, settings: DemoSettings) -> None:
    assert demo.started_at == {camera.name: settings.started_at + camera.delay for camera in settings.cameras}


def test_the_source_is_a_tree_of_identities_and_cameras(demo: DemoFootage, settings: DemoSettings) -> None:
    found = sorted(path.relative_to(demo.source).parts for path in demo.source.rglob("*.jpg"))
    expected = [
        (f"{person:04d}", camera.name, f"{number:02d}.jpg")
        for person in range(settings.source_people)
        for camera in settings.source_cameras
        for number in range(settings.source_images)
    ]
    assert found == sorted(expected)
    for path in demo.source.rglob("*.jpg"):
        with Image.open(path) as image:
            assert image.height > image.width > 15


def test_the_same_seed_gives_the_same_bytes_in_one_process_or_two(
    demo: DemoFootage, settings: DemoSettings, tmp_path: Path
) -> None:
    recorder = Recorder()
    generate(tmp_path, seed=3, settings=replace(settings, processes=2), reporter=recorder)
    assert _digests(tmp_path) == _digests(demo.truth.parent)
    done, total = recorder.done[-1]
    assert done == total


def test_another_seed_gives_other_people(demo: DemoFootage, settings: DemoSettings, tmp_path: Path) -> None:
    short = replace(settings, cameras=(), source_people=1)
    other = generate(tmp_path, seed=4, settings=short, reporter=Recorder())
    first = "0000/plaza/00.jpg"
    assert (other.source / first).read_bytes() != (demo.source / first).read_bytes()


@pytest.mark.parametrize("processes", [1, 2])
def test_a_cancel_ends_the_rendering_and_its_processes(
    settings: DemoSettings, tmp_path: Path, processes: int
) -> None:
    recorder = Recorder(stop_after=1)
    with pytest.raises(StopAskedForError):
        generate(tmp_path, settings=replace(settings, processes=processes), reporter=recorder)
    assert len(recorder.done) == 1
    assert multiprocessing.active_children() == []


def test_a_failure_in_a_renderer_reaches_the_caller(settings: DemoSettings, tmp_path: Path) -> None:
    broken = replace(settings, processes=2, cameras=(replace(settings.cameras[0], scene="nowhere"),))
    with pytest.raises(RuntimeError, match="nowhere"):
        generate(tmp_path, settings=broken, reporter=Recorder())
