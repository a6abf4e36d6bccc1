from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from reid_desk.errors import FootageError
from reid_desk.footage.clips import probe
from reid_desk.footage.decode import frames
from tests.footage.made_clips import Picture, ground, write_clip, write_frames


def shade(number: int) -> Picture:
    return np.full((48, 64, 3), 40 + 8 * number, np.uint8)


SHADES = [shade(number) for number in range(20)]


def test_gives_every_frame_in_order_with_its_pixels(tmp_path: Path) -> None:
    got = list(frames(probe(write_clip(tmp_path / "clip.mp4", SHADES))))
    assert [frame.index for frame in got] == list(range(20))
    assert [frame.time_offset for frame in got] == pytest.approx([n / 10 for n in range(20)])
    for frame, sent in zip(got, SHADES, strict=True):
        assert frame.image.dtype == np.uint8
        assert frame.image.shape == sent.shape
        assert abs(frame.image.mean() - sent.mean()) < 4


def test_colours_come_as_rgb(tmp_path: Path) -> None:
    red = np.zeros((48, 64, 3), np.uint8)
    red[..., 0] = 200
    got = next(frames(probe(write_clip(tmp_path / "clip.mp4", [red] * 3))))
    assert got.image[..., 0].mean() > 150
    assert got.image[..., 2].mean() < 60


def test_times_are_those_of_the_file_where_frames_come_unevenly(tmp_path: Path) -> None:
    times = [0, 40, 80, 500, 540, 2000]
    path = write_clip(tmp_path / "clip.mkv", SHADES[:6], times=times)
    assert [frame.time_offset for frame in frames(probe(path))] == pytest.approx(
        [time / 1000 for time in times], abs=1e-3
    )


def test_skips_frames_when_told_to(tmp_path: Path) -> None:
    info = probe(write_clip(tmp_path / "clip.mp4", SHADES))
    assert [(f.index, round(f.time_offset, 6)) for f in frames(info, every=6)] == [
        (0, 0.0),
        (6, 0.6),
        (12, 1.2),
        (18, 1.8),
    ]
    with pytest.raises(ValueError, match="at least 1"):
        frames(info, every=0)


def test_a_recording_that_was_cut_off_gives_what_is_there_and_a_warning(tmp_path: Path) -> None:
    noisy = [np.random.default_rng(n).integers(0, 255, (96, 128, 3), dtype=np.uint8) for n in range(40)]
    path = write_clip(tmp_path / "clip.mp4", noisy, options={"movflags": "faststart"})
    info = probe(path)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.6)])
    warnings: list[str] = []
    got = list(frames(info, on_warning=warnings.append))
    assert 10 < len(got) < 35
    assert len(warnings) == 1
    assert f"clip ends early: {len(got)} of about 40 frames" in warnings[0]


def test_damage_in_the_middle_does_not_end_a_clip(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.avi", [ground(n) for n in range(30)])
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    path.write_bytes(data)
    got = list(frames(probe(path)))
    assert got[-1].time_offset > 2.5


def test_an_intact_clip_gives_no_warning(tmp_path: Path) -> None:
    warnings: list[str] = []
    for suffix in (".mp4", ".avi", ".mkv"):
        info = probe(write_clip(tmp_path / f"clip{suffix}", SHADES))
        assert len(list(frames(info, on_warning=warnings.append))) == 20
    assert warnings == []


def test_a_clip_of_which_nothing_can_be_decoded_is_an_error(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", SHADES, options={"movflags": "faststart"})
    info = probe(path)
    data = path.read_bytes()
    start = data.index(b"mdat")
    path.write_bytes(data[: start + 4] + bytes(len(data) - start - 4))
    with pytest.raises(FootageError, match="not one frame"):
        list(frames(info))


def test_a_clip_that_is_gone_is_an_error(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", SHADES)
    info = probe(path)
    path.unlink()
    with pytest.raises(FootageError, match="no such file"):
        list(frames(info))


def test_reads_a_folder_of_frames_and_leaves_out_broken_ones(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "gate", SHADES[:12], "{:d}.png")
    (folder / "3.png").write_bytes(b"")
    (folder / "5.png").write_bytes((folder / "5.png").read_bytes()[:40])
    warnings: list[str] = []
    got = list(frames(probe(folder, frames_fps=4), on_warning=warnings.append))
    assert [frame.index for frame in got] == [0, 1, 2, 4, 6, 7, 8, 9, 10, 11]
    assert [frame.time_offset for frame in got][:4] == [0.0, 0.25, 0.5, 1.0]
    np.testing.assert_array_equal(got[3].image, SHADES[4])
    assert len(warnings) == 1
    assert "2 frames" in warnings[0]


def test_stopping_early_closes_the_file(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.mp4", SHADES)
    reading = frames(probe(path))
    assert next(reading).index == 0
    reading.close()  # type: ignore[attr-defined]
    path.unlink()
    assert not path.exists()


def test_footage_of_a_turned_phone_stands_upright(tmp_path: Path) -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[:, :32] = 255  # left half white
    plain = write_clip(tmp_path / "plain.mp4", [picture] * 5)
    turned = _with_rotation(plain, tmp_path / "turned.mp4")
    info = probe(turned)
    assert (info.width, info.height) == (48, 64)
    image = next(frames(info)).image
    assert image.shape == (64, 48, 3)
    upper, lower = image[:28].mean(), image[36:].mean()
    assert {upper > 200, lower > 200} == {True, False}


def _with_rotation(source: Path, target: Path) -> Path:
    """The same clip with a quarter turn in its track header (ISO 14496-12, 8.3.2: a matrix of 9 numbers)."""
    data = bytearray(source.read_bytes())
    header = data.index(b"tkhd")
    matrix = header + 4 + 4 + 20 + 8 + 8  # version and flags; times, id, duration; reserved; layer, volume
    one, minus = (65536).to_bytes(4, "big"), (-65536).to_bytes(4, "big", signed=True)
    zero = bytes(4)
    data[matrix : matrix + 36] = (
        zero + one + zero + minus + zero + zero + zero + zero + (1 << 30).to_bytes(4, "big")
    )
    target.write_bytes(data)
    with av.open(str(target)) as container:
        assert abs(next(container.decode(video=0)).rotation) == 90
    return target
