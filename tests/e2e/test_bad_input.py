"""What users bring by mistake: one clear line, exit code 2, and a site that is as it was."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from reid_desk.cli import main
from reid_desk.jobs.sources import add_source
from reid_desk.site import Site, database
from tests.fixtures_model import write_embedder
from tests.jobs.sites import add_clip, contents, jpeg, person_image, write_clip, write_source
from training.datasets import open_dataset

ROOT = Path(__file__).parents[2]
PREFIX = "reid-desk: error: "

Refuse = Callable[..., str]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site with footage, a source, a model in use and everything embedded."""
    with Site.create(tmp_path / "site") as made:
        add_clip(made, "hall", range(6))
        add_clip(made, "street", range(6))
        add_source(made, open_dataset(write_source(tmp_path / "shop")))
        write_embedder(tmp_path / "model" / "model.onnx")
        model = made.add_model(tmp_path / "model", name="First")
        made.use_model(model.id)
    assert main(["use", str(tmp_path / "site"), model.id]) == 0
    return tmp_path / "site"


@pytest.fixture
def query(tmp_path: Path) -> Path:
    path = tmp_path / "query.jpg"
    path.write_bytes(jpeg(person_image(2)))
    return path


@pytest.fixture
def refuse(site: Path, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Run a command that must be refused; return its one line of complaint."""

    def run_refused(*arguments: object, words: str) -> str:
        before = contents(site)
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = capsys.readouterr()
        complaints = [line for line in err.splitlines() if line.startswith(PREFIX)]
        assert code == 2, err
        assert out == ""
        assert len(complaints) == 1
        assert err.splitlines()[-1] == complaints[0]
        assert "Traceback" not in err
        assert words in complaints[0]
        assert contents(site) == before
        return complaints[0]

    return run_refused


def importing(site: Path, *paths: Path) -> tuple[object, ...]:
    return ("import", site, *paths, "--camera", "hall")


def test_a_missing_path(site: Path, tmp_path: Path, refuse: Refuse):
    refuse(*importing(site, tmp_path / "gone.mp4"), words="gone.mp4: there is no such file")
    refuse("source", "add", site, tmp_path / "gone", words="gone does not exist")
    refuse("search", site, tmp_path / "gone.jpg", words="gone.jpg")
    refuse("evaluate", site, "--data", tmp_path / "gone", words="gone does not exist")


def test_an_empty_folder(site: Path, tmp_path: Path, refuse: Refuse):
    (tmp_path / "empty").mkdir()
    refuse(*importing(site, tmp_path / "empty"), words="no video and no numbered frames")
    refuse("source", "add", site, tmp_path / "empty", words="holds no images")


def test_a_rate_that_no_camera_has(site: Path, tmp_path: Path, refuse: Refuse):
    clip = write_clip(tmp_path / "clip.mp4")
    refuse(*importing(site, clip), "--frames-fps", "0", words="No camera takes 0.0 frames a second")
    refuse(*importing(site, clip), "--frames-fps", "nan", words="No camera takes nan")


def test_a_text_file_named_mp4(site: Path, tmp_path: Path, refuse: Refuse):
    (tmp_path / "notes.mp4").write_text("Call the recorder's maker.\n" * 100)
    refuse(*importing(site, tmp_path / "notes.mp4"), words="notes.mp4: this is no video")


def test_a_video_cut_off_before_its_index(site: Path, tmp_path: Path, refuse: Refuse):
    clip = write_clip(tmp_path / "whole.mp4")
    cut = tmp_path / "cut.mp4"
    cut.write_bytes(clip.read_bytes()[: clip.stat().st_size // 2])
    refuse(*importing(site, cut), words="cut.mp4")


def test_a_video_whose_frames_are_garbage_adds_nothing_to_search(
    site: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    clip = write_clip(tmp_path / "whole.mp4")
    content = bytearray(clip.read_bytes())
    start = content.index(b"mdat") + 4
    end = content.index(b"moov", start) - 4
    content[start:end] = bytes(end - start)
    (tmp_path / "zeroed.mp4").write_bytes(content)
    before = contents(site)
    code = main([str(argument) for argument in importing(site, tmp_path / "zeroed.mp4")])
    err = capsys.readouterr().err
    after = contents(site)
    assert code == 2
    assert err.splitlines()[-1].startswith(PREFIX)
    assert "zeroed.mp4" in err.splitlines()[-1]
    assert [clip for clip in after["clips"] if clip[1] == "imported"] == before["clips"]
    assert (after["crops"], after["tracks"]) == (before["crops"], before["tracks"])


def test_a_zero_byte_video_and_image(site: Path, tmp_path: Path, refuse: Refuse):
    (tmp_path / "zero.mp4").touch()
    refuse(*importing(site, tmp_path / "zero.mp4"), words="empty (0 bytes)")
    (tmp_path / "zero.jpg").touch()
    refuse("search", site, tmp_path / "zero.jpg", words="zero.jpg: the image is empty")


def test_an_image_that_is_none(site: Path, tmp_path: Path, refuse: Refuse, query: Path):
    (tmp_path / "cut.jpg").write_bytes(query.read_bytes()[:300])
    refuse("search", site, tmp_path / "cut.jpg", words="damaged or no picture")
    (tmp_path / "text.png").write_text("no picture")
    refuse("search", site, tmp_path / "text.png", words="damaged or no picture")
    refuse("search", site, tmp_path, words="cannot be read")


def test_an_image_of_one_pixel(site: Path, tmp_path: Path, refuse: Refuse):
    (tmp_path / "dot.jpg").write_bytes(jpeg(person_image(0, height=1, width=1)))
    refuse("search", site, tmp_path / "dot.jpg", words="too small to show a person (1 x 1 pixels)")


def test_a_source_with_one_person(site: Path, tmp_path: Path, refuse: Refuse):
    alone = write_source(tmp_path / "alone", people=1)
    refuse("source", "add", site, alone, words="at least two people")
    refuse("source", "add", site, alone, "--role", "evaluation", words="cannot be evaluated on")


def test_a_source_without_cameras_is_taken_on_request_only(
    site: Path, tmp_path: Path, refuse: Refuse, capsys: pytest.CaptureFixture[str]
):
    folder = tmp_path / "plain"
    for person in range(3):
        (folder / f"{person}").mkdir(parents=True)
        for number in range(3):
            (folder / f"{person}" / f"{number}.jpg").write_bytes(jpeg(person_image(person, number)))
    refuse("source", "add", site, folder, words="--without-cameras")
    assert main(["source", "add", str(site), str(folder), "--without-cameras"]) == 0
    assert "3 people, no camera names, 9 images" in capsys.readouterr().out
    assert main(["evaluate", str(site), "--data", str(folder)]) == 0
    assert "no cameras known" in capsys.readouterr().out


def test_a_name_that_is_taken(site: Path, tmp_path: Path, refuse: Refuse):
    refuse("source", "add", site, tmp_path / "shop", words="'shop' already")


def test_removing_a_set_that_is_not_there(site: Path, tmp_path: Path, refuse: Refuse):
    refuse("source", "remove", site, "mall", words="no source named 'mall'; its sources are: shop")
    refuse("source", "remove", tmp_path / "nowhere", "shop", words="nowhere")


def test_unlabelled_images_as_a_source(site: Path, tmp_path: Path, refuse: Refuse):
    (tmp_path / "loose").mkdir()
    for number in range(10):
        (tmp_path / "loose" / f"holiday{number}.jpg").write_bytes(jpeg(person_image(number)))
    refuse("source", "add", site, tmp_path / "loose", words="their names tell no person")


def test_a_source_whose_images_are_broken(
    site: Path, tmp_path: Path, refuse: Refuse, capsys: pytest.CaptureFixture[str]
):
    images = sorted(write_source(tmp_path / "broken").glob("*/*/*.jpg"))
    images[5].write_bytes(images[5].read_bytes()[:400])
    assert main(["source", "add", str(site), str(tmp_path / "broken"), "--name", "nearly whole"]) == 0
    assert (
        f"1 of 16 images that were opened cannot be read; the first: {images[5]}" in capsys.readouterr().out
    )
    for image in images[:9]:
        image.write_text("no picture")
    refuse("source", "add", site, tmp_path / "broken", words="9 of 16 images that were opened cannot be read")
    refuse("source", "add", tmp_path / "new", tmp_path / "broken", words="Unpack the data set again")
    assert not (tmp_path / "new").exists()


def test_fewer_than_eight_crops(
    site: Path, tmp_path: Path, refuse: Refuse, capsys: pytest.CaptureFixture[str]
):
    with Site.create(tmp_path / "small") as small:
        add_clip(small, "hall", range(1), crops=7)
        add_source(small, open_dataset(tmp_path / "shop"))
    before = contents(tmp_path / "small")
    refuse("adapt", tmp_path / "small", words="7 crops, and adapting needs at least 8")
    assert contents(tmp_path / "small") == before


def test_adapting_without_a_source_or_footage(site: Path, tmp_path: Path, refuse: Refuse):
    Site.create(tmp_path / "bare").close()
    refuse("adapt", tmp_path / "bare", words="no labelled source")
    assert main(["source", "add", str(tmp_path / "bare"), str(tmp_path / "shop")]) == 0
    refuse("adapt", tmp_path / "bare", words="no crops to adapt to")
    refuse("adapt", site, "--source", "mall", words="no source named 'mall'")
    add = ["source", "add", str(site), str(tmp_path / "shop"), "--name", "people", "--role", "evaluation"]
    assert main(add) == 0
    refuse("adapt", site, "--source", "people", words="people is there to measure on")
    refuse("adapt", site, "--resume", words="nothing to resume")
    refuse("demo", "--headless", "--site", site, "--resume", words="nothing to resume")
    refuse("demo", "--headless", "--site", tmp_path / "new", "--resume", words="There is no folder")
    assert not (tmp_path / "new").exists()


def test_a_negative_seed(site: Path, tmp_path: Path, refuse: Refuse):
    refuse("adapt", site, "--preset", "smoke", "--seed", "-1", words="The seed cannot be -1")
    refuse("demo", "--headless", "--site", tmp_path / "new", "--seed", "-1", words="The seed cannot be -1")
    assert not (tmp_path / "new" / "demo").exists()


def test_missing_weights(site: Path, tmp_path: Path, refuse: Refuse, monkeypatch: pytest.MonkeyPatch):
    clip = write_clip(tmp_path / "clip.mp4")
    refuse(*importing(site, clip), "--detector-weights", tmp_path / "gone.onnx", words="gone.onnx")
    # As on a machine that is offline and has never fetched them.
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "")
    line = refuse(*importing(site, clip), "--detector", "yolox", words="yolox_nano.onnx")
    assert "https://" in line
    assert "motion" in line


def test_an_onnx_file_that_is_no_detector(site: Path, tmp_path: Path, refuse: Refuse):
    clip = write_clip(tmp_path / "clip.mp4")
    write_embedder(tmp_path / "embedder" / "model.onnx")
    weights = tmp_path / "embedder" / "model.onnx"
    refuse(*importing(site, clip), "--detector-weights", weights, words="no YOLOX person detector")
    (tmp_path / "text.onnx").write_text("no network")
    refuse(*importing(site, clip), "--detector-weights", tmp_path / "text.onnx", words="no YOLOX person")


@pytest.mark.parametrize("broken", ["another network", "text", "missing"])
def test_an_onnx_file_that_is_no_embedder(
    site: Path, refuse: Refuse, query: Path, tmp_path: Path, broken: str
):
    with Site.open(site) as opened:
        path = opened.current_model().path
    if broken == "another network":
        node = helper.make_node("Identity", ["x"], ["y"])
        ports = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy"]
        onnx.save(helper.make_model(helper.make_graph([node], "g", ports[:1], ports[1:])), path)
    elif broken == "text":
        path.write_text("no network")
    else:
        path.unlink()
    refuse("search", site, query, words="model.onnx")
    refuse("evaluate", site, "--data", tmp_path / "shop", words="model.onnx")
    refuse("export", site, tmp_path / "out.onnx", words="model.onnx")
    assert not (tmp_path / "out.onnx").exists()


def test_a_folder_that_is_no_site(site: Path, tmp_path: Path, refuse: Refuse, query: Path):
    folder = tmp_path / "pictures"
    folder.mkdir()
    (folder / "holiday.txt").write_text("dear diary")
    clip = write_clip(tmp_path / "clip.mp4")
    for arguments in (("adapt", folder), ("search", folder, query), ("evaluate", folder), ("doctor", folder)):
        refuse(*arguments, words="pictures")
    refuse(*importing(folder, clip), words="holds other things")
    refuse("source", "add", folder, tmp_path / "shop", words="holds other things")
    refuse("demo", "--site", folder, "--headless", words="holds other things")
    assert [path.name for path in folder.iterdir()] == ["holiday.txt"]
    refuse("adapt", tmp_path / "nowhere", words="nowhere")
    assert not (tmp_path / "nowhere").exists()


def test_a_database_of_another_program(site: Path, tmp_path: Path, refuse: Refuse):
    folder = tmp_path / "other"
    folder.mkdir()
    with sqlite3.connect(folder / "site.db") as other:
        other.execute("CREATE TABLE songs (title)")
    other.close()
    content = (folder / "site.db").read_bytes()
    refuse("adapt", folder, words="belongs to another program")
    assert (folder / "site.db").read_bytes() == content


def test_a_damaged_database(site: Path, tmp_path: Path, refuse: Refuse, query: Path):
    shutil.copytree(site, tmp_path / "damaged")
    (tmp_path / "damaged" / "site.db").write_bytes(b"SQLite format 3\x00" + b"\x99" * 5000)
    refuse("search", tmp_path / "damaged", query, words="damaged")


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """SQLite may not grow the database by one page: as on a full disk, it answers SQLITE_FULL."""
    connect = database.connect

    def connect_to_full(path: Path) -> sqlite3.Connection:
        connection = connect(path)
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")
        return connection

    monkeypatch.setattr(database, "connect", connect_to_full)
    yield
    monkeypatch.undo()


def test_a_full_disk_while_footage_is_stored(site: Path, tmp_path: Path, refuse: Refuse, full_disk: None):
    clip = write_clip(tmp_path / "clip.mp4", seconds=20)
    refuse(*importing(site, clip), words="disk is full")


def test_a_disk_without_room_for_an_adaptation(site: Path, refuse: Refuse, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: SimpleNamespace(free=2**29))
    refuse("adapt", site, "--preset", "smoke", words="needs about 0.8 GB on the disk of")
    with Site.open(site) as opened:
        assert not (opened.runs("adapt")[0].folder / "target").exists()


def test_a_full_disk_while_crops_are_gathered(site: Path, refuse: Refuse, monkeypatch: pytest.MonkeyPatch):
    def no_space(self: Path, _data: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", no_space)
    refuse("adapt", site, "--preset", "smoke", words="disk is full")
    with Site.open(site) as opened:
        assert opened.runs("adapt")[0].state == "failed"


def test_a_full_disk_while_a_model_is_exported(
    site: Path, tmp_path: Path, refuse: Refuse, monkeypatch: pytest.MonkeyPatch
):
    out = tmp_path / "out" / "model.onnx"
    out.parent.mkdir()
    out.write_bytes(b"an earlier export")

    def no_space(source: Path, target: Path) -> None:
        target.write_bytes(Path(source).read_bytes()[:10])
        raise OSError(errno.ENOSPC, "No space left on device", str(target))

    monkeypatch.setattr(shutil, "copyfile", no_space)
    line = refuse("export", site, out, "--force", words=f"The disk of {out} is full")
    assert "site" not in line.removeprefix(PREFIX).replace(str(out), "")
    assert [(path.name, path.read_bytes()) for path in out.parent.iterdir()] == [
        ("model.onnx", b"an earlier export")
    ]


def test_an_export_over_a_file_or_into_nowhere(site: Path, tmp_path: Path, refuse: Refuse):
    (tmp_path / "there.onnx").write_bytes(b"mine")
    refuse("export", site, tmp_path / "there.onnx", words="there already")
    assert (tmp_path / "there.onnx").read_bytes() == b"mine"
    refuse("export", site, tmp_path / "no" / "out.onnx", words="There is no folder")
    refuse("export", site, tmp_path / "out.onnx", "--model", "nonesuch", words="nonesuch")


def test_a_second_desk_on_the_same_site(site: Path, refuse: Refuse, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("QT_QPA_PLATFORM", "offscreen")
    program = f"import sys; from reid_desk.site import Site; s = Site.open({str(site)!r}, exclusive=True);"
    program += "print('open', flush=True); sys.stdin.read()"
    first = subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    try:
        assert first.stdout is not None
        assert first.stdout.readline() == "open\n"
        line = refuse(site, words="open in another desk")
        assert str(first.pid) in line
    finally:
        first.communicate("")


def test_a_wrong_camera_or_model(site: Path, refuse: Refuse, query: Path, tmp_path: Path):
    refuse("search", site, query, "--camera", "cellar", words="no camera named 'cellar'")
    refuse("evaluate", site, "--data", tmp_path / "shop", "--model", "nonesuch", words="nonesuch")
    refuse("use", site, "nonesuch", words="nonesuch")


def test_searching_before_adapting(site: Path, tmp_path: Path, refuse: Refuse, query: Path):
    with Site.create(tmp_path / "new") as new:
        add_clip(new, "hall", range(3))
    refuse("search", tmp_path / "new", query, words="no model yet")
    refuse("export", tmp_path / "new", tmp_path / "out.onnx", words="no model yet")


def test_a_gigantic_image_is_refused_in_one_line(site: Path, tmp_path: Path):
    Image.new("1", (11_000, 10_000)).save(tmp_path / "poster.png")
    (tmp_path / "frames").mkdir()
    for number in range(2):
        shutil.copy(tmp_path / "poster.png", tmp_path / "frames" / f"{number}.png")
    search = ("search", str(site), str(tmp_path / "poster.png"))
    program = "import sys; from pathlib import Path; from reid_desk.footage.clips import probe; "
    frames = ("-c", program + "probe(Path(sys.argv[1]))", str(tmp_path / "frames"))
    done = subprocess.run(
        [sys.executable, "-m", "reid_desk", *search], capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 2
    assert done.stderr == f"{PREFIX}The image is too large (11000 x 10000); cut out the person.\n"
    done = subprocess.run([sys.executable, *frames], capture_output=True, text=True, cwd=ROOT, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_mistake_on_the_real_command_line(site: Path, tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "reid_desk", "search", str(site), str(tmp_path / "gone.jpg"), "--json"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith(PREFIX)


@pytest.mark.skipif(sys.platform != "linux", reason="other systems' file names are always text")
def test_names_that_are_no_text(site: Path, tmp_path: Path, refuse: Refuse):
    latin = os.fsdecode(b"caf\xe9")
    clip = write_clip(tmp_path / "clip.mp4")
    shutil.copy(clip, tmp_path / f"{latin}.mp4")
    shutil.copytree(tmp_path / "shop", tmp_path / latin)
    refuse(*importing(site, tmp_path / f"{latin}.mp4"), words=r"caf\udce9.mp4: its name")
    refuse(*importing(tmp_path / f"{latin}-site", clip), words="no valid UTF-8; choose another folder")
    refuse("import", site, clip, "--camera", latin, words=r"cannot be 'caf\udce9'")
    refuse("source", "add", site, tmp_path / latin, words=r"cannot be 'caf\udce9'")
    refuse("source", "add", site, tmp_path / latin, "--name", "mall", words="no valid UTF-8")


def test_clips_that_are_not_there_or_cannot_be_so(site: Path, tmp_path: Path, refuse: Refuse):
    clip = write_clip(tmp_path / "clip.mp4")
    refuse("clip", "remove", site, "1", "99", words="no clip 99")
    refuse("clip", "edit", site, "1", words="nothing to correct")
    refuse("clip", "edit", site, "1", "2", "--started-at", "2026-01-01", words="one by one")
    refuse("clip", "edit", site, "1", "--camera", " ", words="A camera needs a name")
    refuse("clip", "edit", site, "1", "--camera", "x" * 101, words="at most 100 characters, not 101")
    refuse("clip", "edit", site, "1", "--started-at", "9999-01-01", words="after 2999")
    refuse(*importing(site, clip), "--started-at", "9999-01-01", words="after 2999")
    refuse(*importing(tmp_path / "new", clip), "--started-at", "9999-01-01", words="after 2999")
    assert not (tmp_path / "new").exists()


def test_overlong_names(site: Path, tmp_path: Path, refuse: Refuse, query: Path):
    clip, name = write_clip(tmp_path / "clip.mp4"), "x" * 300
    too_long = "is too long for a file or folder"
    refuse("import", site, clip, "--camera", name, words="at most 100 characters")
    refuse("import", site, clip, "--camera", "hall\nstreet", words=r"cannot be 'hall\nstreet'")
    refuse("import", tmp_path / "new", clip, "--camera", name, words="at most 100 characters")
    assert not (tmp_path / "new").exists()
    refuse("source", "add", site, tmp_path / "shop", "--name", name, words="at most 100 characters")
    refuse("import", tmp_path / name, clip, "--camera", "hall", words=too_long)
    refuse(*importing(site, tmp_path / f"{name}.mp4"), words=too_long)
    refuse("source", "add", site, tmp_path / name, words=too_long)
    refuse("search", tmp_path / name, query, words=too_long)
    refuse("export", site, tmp_path / f"{name}.onnx", words=too_long)
    refuse("use", site, name, words="no model")
    refuse(tmp_path / name, words=too_long)
