from __future__ import annotations

import errno
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import av
import pytest
from PIL import Image

from reid_desk.errors import FootageError
from reid_desk.footage.clips import ClipSource, find_clips, frame_files, probe, sha256
from reid_desk.footage.decode import frames
from tests.footage.made_clips import ground, write_clip, write_frames


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_clip(tmp_path / "clip.mp4", [ground()] * 20)


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".mov", ".m4v", ".ts", ".MP4"])
def test_finds_clips_of_every_usual_container(tmp_path: Path, suffix: str) -> None:
    path = write_clip(tmp_path / f"made{suffix.lower()}", [ground()] * 5).rename(tmp_path / f"clip{suffix}")
    assert find_clips([path]) == ([ClipSource(path, "video")], [])


def test_finds_webm(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "clip.webm", [ground()] * 5, codec="libvpx")
    assert find_clips([path]) == ([ClipSource(path, "video")], [])


def test_looks_into_folders_in_natural_order_and_passes_over_what_recorders_leave(tmp_path: Path) -> None:
    for name in ("day2/clip10.mp4", "day2/clip9.mp4", "day10/clip1.mp4"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_clip(tmp_path / name, [ground()] * 3)
    (tmp_path / "day2" / "notes.txt").write_text("nothing")
    (tmp_path / "day2" / "clip9.jpg").write_bytes(b"a still beside a clip")
    (tmp_path / ".hidden.mp4").write_bytes(b"")
    clips, refused = find_clips([tmp_path])
    assert [str(clip.path.relative_to(tmp_path)) for clip in clips] == [
        "day2/clip9.mp4",
        "day2/clip10.mp4",
        "day10/clip1.mp4",
    ]
    assert refused == []


def test_a_clip_given_twice_is_found_once(clip: Path) -> None:
    assert find_clips([clip, clip.parent, clip])[0] == [ClipSource(clip, "video")]


def test_a_folder_of_numbered_frames_is_one_clip(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "gate", [ground()] * 12)
    assert find_clips([tmp_path]) == ([ClipSource(folder, "frames")], [])
    assert [file.name for file in frame_files(folder)][8:11] == ["frame8.jpg", "frame9.jpg", "frame10.jpg"]


@pytest.mark.parametrize("kind", ["video", "frames"])
def test_a_clip_that_is_gone_by_now_is_told_as_that(clip: Path, tmp_path: Path, kind: str) -> None:
    folder = write_frames(tmp_path / "gate", [ground()] * 3)
    source = ClipSource(clip if kind == "video" else folder, kind)
    info = probe(source)
    source.path.rename(tmp_path / "elsewhere")
    for read in (sha256, lambda _path: probe(source), lambda _path: next(frames(info))):
        with pytest.raises(FootageError, match=f"{source.path.name}: .*Check that its drive is connected"):
            read(source.path)


def test_a_clip_that_cannot_be_read_to_its_end_is_told_as_that(
    clip: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(path: Path, _mode: str) -> io.BytesIO:
        raise OSError(errno.EIO, "Input/output error", str(path))

    monkeypatch.setattr(Path, "open", breaks)
    with pytest.raises(FootageError, match=r"clip\.mp4: it cannot be read \(Input/output error\)"):
        sha256(clip)


def test_reading_a_clip_for_its_hash_can_be_cancelled(clip: Path) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sha256(clip, check_cancelled=stop)


def _text_named_mp4(folder: Path) -> Path:
    (folder / "words.mp4").write_text("these are words, not pictures\n" * 100)
    return folder / "words.mp4"


def _sound_only(folder: Path) -> Path:
    with av.open(str(folder / "sound.mkv"), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000, layout="mono")
        sound = av.AudioFrame(format="s16", layout="mono", samples=800)
        sound.planes[0].update(bytes(sound.planes[0].buffer_size))
        sound.rate = 8000
        container.mux(stream.encode(sound))
        container.mux(stream.encode())
    return folder / "sound.mkv"


def _play_list(folder: Path) -> Path:
    path = folder / "list.mp4"
    path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n")
    return path


def _cut_before_the_index(folder: Path) -> Path:
    whole = write_clip(folder / "whole.mp4", [ground(n) for n in range(20)]).read_bytes()
    (folder / "whole.mp4").unlink()
    (folder / "cut.mp4").write_bytes(whole[: len(whole) // 2])
    return folder / "cut.mp4"


def _touch(name: str) -> object:
    def make(folder: Path) -> Path:
        (folder / name).write_bytes(b"")
        return folder / name

    return make


def _empty_folder(folder: Path) -> Path:
    (folder / "nothing").mkdir()
    return folder / "nothing"


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda folder: folder / "gone.mp4", "no such file"),
        (_empty_folder, "no video and no numbered frames"),
        (_text_named_mp4, "no video"),
        (_play_list, "no video"),
        (_cut_before_the_index, "cut off"),
        (_sound_only, "no picture"),
        (_touch("empty.mp4"), "0 bytes"),
        (_touch("table.xlsx"), "type .xlsx"),
        (_touch("still.jpg"), "single image"),
    ],
)
def test_refuses_with_a_reason(tmp_path: Path, make: object, reason: str) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    clips, refused = find_clips([path])
    assert clips == []
    assert [refusal.path for refusal in refused] == [path]
    assert reason in refused[0].reason
    assert "\n" not in refused[0].reason
    with pytest.raises(FootageError, match="(?i)" + reason):
        probe(path)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "TIFF"])
def test_a_picture_under_the_name_of_a_video_is_refused(tmp_path: Path, kind: str) -> None:
    Image.fromarray(ground()).save(tmp_path / "clip.mp4", kind)
    clips, (refusal,) = find_clips([tmp_path / "clip.mp4"])
    assert clips == []
    assert "this is a picture" in refusal.reason


def test_one_bad_clip_does_not_hide_the_good_ones(clip: Path) -> None:
    bad = _text_named_mp4(clip.parent)
    clips, refused = find_clips([clip.parent])
    assert ([c.path for c in clips], [r.path for r in refused]) == ([clip], [bad])


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_refuses_what_may_not_be_read(clip: Path) -> None:
    clip.chmod(0)
    assert "permissions" in find_clips([clip])[1][0].reason


def test_probes_a_video(clip: Path) -> None:
    os.utime(clip, (2_000_000, 1_600_000_000))
    info = probe(clip)
    assert (info.width, info.height, info.fps, info.frames) == (320, 240, 10.0, 20)
    assert info.duration == pytest.approx(2.0)
    assert (info.started_from, info.started_at) == ("file time", pytest.approx(1_600_000_000 - 2.0))
    assert info.size == clip.stat().st_size


def test_the_containers_own_time_comes_first(tmp_path: Path) -> None:
    path = write_clip(
        tmp_path / "20200101_000000.mp4", [ground()], metadata={"creation_time": "2024-01-31T23:59:59Z"}
    )
    info = probe(path)
    assert (info.started_from, info.started_at) == ("metadata", 1_706_745_599.0)


def test_probes_a_folder_of_frames_past_a_broken_first_image(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "gate", [ground()] * 10)
    (folder / "frame0.jpg").write_bytes(b"")
    info = probe(folder, frames_fps=5)
    assert (info.kind, info.width, info.height, info.frames, info.duration) == ("frames", 320, 240, 10, 2.0)


def test_frames_of_which_none_can_be_read_are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "gate"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.jpg").write_bytes(b"no picture")
    with pytest.raises(FootageError, match="none of its 3 images"):
        probe(folder)


def test_a_folder_of_several_clips_is_not_one_clip(clip: Path) -> None:
    write_clip(clip.parent / "other.mp4", [ground()])
    with pytest.raises(FootageError, match="2 clips"):
        probe(clip.parent)


def test_digest_is_that_of_the_files_bytes(clip: Path) -> None:
    assert sha256(clip) == hashlib.sha256(clip.read_bytes()).hexdigest()


def test_digest_of_frames_tells_names_order_and_bytes_apart(tmp_path: Path) -> None:
    first = write_frames(tmp_path / "a", [ground(0), ground(1)])
    same = write_frames(tmp_path / "b", [ground(0), ground(1)])
    swapped = write_frames(tmp_path / "c", [ground(1), ground(0)])
    renamed = write_frames(tmp_path / "d", [ground(0), ground(1)], "image{:d}.jpg")
    assert sha256(first) == sha256(same)
    assert len({sha256(folder) for folder in (first, swapped, renamed)}) == 3


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' file names are always text")
def test_a_name_that_is_no_text_is_refused_and_the_others_are_found(clip: Path) -> None:
    clip.with_name(os.fsdecode(b"caf\xe9.mp4")).write_bytes(clip.read_bytes())
    clips, (refusal,) = find_clips([clip.parent])
    assert clips == [ClipSource(clip, "video")]
    assert str(refusal.path).endswith(r"caf\udce9.mp4")
    assert "no valid UTF-8. Rename it" in refusal.reason


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' file names are always text")
def test_digest_of_frames_whose_names_are_no_text(tmp_path: Path) -> None:
    folder = write_frames(tmp_path / "gate", [ground(0), ground(1)])
    before = sha256(folder)
    (folder / "frame0.jpg").rename(folder / os.fsdecode(b"fram\xe90.jpg"))
    assert sha256(folder) != before


def test_finding_clips_loads_neither_cv2_nor_torch() -> None:
    code = (
        "import sys, reid_desk.footage.clips, reid_desk.footage.detectors, reid_desk.footage.detectors.weights;"
        "sys.exit(bool({'cv2', 'torch', 'av', 'onnxruntime', 'pooch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
