from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from reid_desk.errors import FootageError
from reid_desk.footage.detectors import NAMES, open_detector, weights
from reid_desk.footage.detectors.yolox import YoloxDetector
from tests.footage.made_network import write_network, write_other_network


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_network(tmp_path_factory.mktemp("network") / "blue.onnx")


def test_there_is_no_other_detector() -> None:
    with pytest.raises(FootageError, match="motion, yolox"):
        open_detector("haar")
    assert open_detector("motion").name in NAMES


# yolox ----------------------------------------------------------------------------------------------------


def blue_at(left: int, top: int, side: int, *, width: int, height: int) -> np.ndarray:
    frame = np.zeros((height, width, 3), np.uint8)
    frame[top : top + side, left : left + side, 2] = 255
    return frame


def test_decodes_a_cell_of_each_stride_to_pixels_of_the_frame(network: Path) -> None:
    detector = YoloxDetector(network, minimum_score=0.9)
    # A frame of 128 x 96 is scaled by a half to 64 x 48; one cell of stride 8 is 16 pixels of the frame.
    people = detector.detect(blue_at(32, 32, 16, width=128, height=96))
    assert people.shape == (1, 5)
    # Cell (2, 2): centre 2.5 x 8 = 20 -> 40 in the frame; 4 x 8 strides wide and high -> 64 x 128, cut to the frame.
    np.testing.assert_allclose(people[0], [8, 0, 64, 96, 1.0], atol=0.5)


def test_the_grey_beside_the_picture_finds_nobody(network: Path) -> None:
    detector = YoloxDetector(network, minimum_score=114 / 255 + 0.01)
    assert detector.detect(np.zeros((20, 64, 3), np.uint8)).shape == (0, 5)


def test_blue_is_the_networks_first_channel(network: Path) -> None:
    red = np.zeros((64, 64, 3), np.uint8)
    red[..., 0] = 255
    assert len(YoloxDetector(network, minimum_score=0.9).detect(red)) == 0


def test_of_boxes_on_one_person_only_the_best_stays(network: Path) -> None:
    frame = blue_at(16, 16, 16, width=64, height=64)
    frame[16:32, 24:32, 2] = 240
    people = YoloxDetector(network, minimum_score=0.6, maximum_overlap=0.3).detect(frame)
    assert people[:, 4].max() == pytest.approx(1.0)
    assert len(people) < 4


def test_boxes_lie_inside_the_frame(network: Path) -> None:
    people = YoloxDetector(network, minimum_score=0.1).detect(np.full((50, 40, 3), 255, np.uint8))
    assert len(people)
    assert (people[:, :2] >= 0).all()
    assert (people[:, 0] + people[:, 2] <= 40).all()
    assert (people[:, 1] + people[:, 3] <= 50).all()


def _garbage(path: Path) -> Path:
    path.write_bytes(b"this is not a network" * 100)
    return path


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda path: path, "no such file"),
        (_garbage, "cannot open it"),
        (lambda path: write_other_network(path, ["n", 128, 64, 3], ["n", 128, 64, 3]), "its input is"),
        (lambda path: write_other_network(path, [1, 3, 64, 64], [1, 3, 64, 64]), "its output is"),
        (lambda path: write_other_network(path, [1, 3, "h", "w"], [1, 3, "h", "w"]), "its input is"),
    ],
)
def test_a_file_that_is_no_detector_is_refused(tmp_path: Path, make: object, reason: str) -> None:
    path = make(tmp_path / "model.onnx")  # type: ignore[operator]
    with pytest.raises(FootageError, match=reason) as caught:
        open_detector("yolox", path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


# weights ----------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """A local web server over ``tmp_path / "served"``."""
    folder = tmp_path / "served"
    folder.mkdir()

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            """Tests print nothing."""

    with http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    ) as served:
        thread = threading.Thread(target=served.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()
        thread.join()


def given_as(monkeypatch: pytest.MonkeyPatch, url: str, content: bytes) -> None:
    entry = weights.Weights("net.onnx", f"{url}/net.onnx", hashlib.sha256(content).hexdigest(), "Apache-2.0")
    monkeypatch.setitem(weights.TABLE, "net", entry)


def test_weights_are_fetched_once(tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    given_as(monkeypatch, server, b"numbers")
    (tmp_path / "served" / "net.onnx").write_bytes(b"numbers")
    path = weights.find_weights("net", folder=tmp_path / "cache")
    assert path.read_bytes() == b"numbers"
    (tmp_path / "served" / "net.onnx").unlink()
    assert weights.find_weights("net", folder=tmp_path / "cache") == path


def test_weights_with_a_wrong_checksum_are_not_kept(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    given_as(monkeypatch, server, b"numbers")
    (tmp_path / "served" / "net.onnx").write_bytes(b"other numbers")
    with pytest.raises(FootageError, match="could not be fetched"):
        weights.find_weights("net", folder=tmp_path / "cache")
    assert not (tmp_path / "cache" / "net.onnx").exists()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", None])
def test_weights_that_cannot_be_fetched_are_named_with_their_source_and_place(
    tmp_path: Path, server: str, monkeypatch: pytest.MonkeyPatch, url: str | None
) -> None:
    url = url or server  # the server runs, but has no such file
    given_as(monkeypatch, url, b"numbers")
    with pytest.raises(FootageError) as caught:
        weights.find_weights("net", folder=tmp_path / "cache")
    message = str(caught.value)
    assert f"{url}/net.onnx" in message
    assert str(tmp_path / "cache" / "net.onnx") in message
    assert "motion" in message
    assert "\n" not in message


def test_weights_brought_by_hand_are_taken_as_they_are(
    tmp_path: Path, network: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "cache_folder", lambda: tmp_path)
    (tmp_path / "yolox_nano.onnx").write_bytes(network.read_bytes())
    assert open_detector("yolox").name == "yolox"
