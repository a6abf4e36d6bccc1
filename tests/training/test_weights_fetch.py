"""Fetching weights: from a server on this machine, never from the network."""

from __future__ import annotations

import functools
import hashlib
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
import torch

from training import weights
from training.errors import WeightsError
from training.weights import Download, fetch, load_weights


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", folder
        running.shutdown()


def publish(monkeypatch: pytest.MonkeyPatch, url: str, prefix: str) -> None:
    monkeypatch.setitem(weights.DOWNLOADS, "resnet50", Download(f"{url}/resnet50-test.pth", prefix))


def test_weights_are_fetched_once_and_loaded(server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, folder = server
    from torchvision.models import resnet50

    from training.networks.backbones import build_backbone

    published = resnet50(weights=None)
    torch.save(published.state_dict(), folder / "resnet50-test.pth")
    publish(monkeypatch, url, hashlib.sha256((folder / "resnet50-test.pth").read_bytes()).hexdigest()[:8])
    backbone = build_backbone("resnet50", height=64, width=32, pretrained=False)
    load_weights(backbone, "resnet50", cache=tmp_path / "cache")
    torch.testing.assert_close(backbone.stem[0].weight, published.conv1.weight)
    (folder / "resnet50-test.pth").unlink()
    assert fetch("resnet50", tmp_path / "cache").is_file()


def test_a_file_with_another_checksum_is_thrown_away(
    server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, folder = server
    (folder / "resnet50-test.pth").write_bytes(b"something else")
    publish(monkeypatch, url, "00000000")
    with pytest.raises(WeightsError, match="SHA-256"):
        fetch("resnet50", tmp_path / "cache")
    assert not list((tmp_path / "cache").glob("*.pth"))


def test_without_a_network_the_error_names_file_place_and_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(monkeypatch, "http://127.0.0.1:9", "00000000")
    with pytest.raises(WeightsError) as error:
        fetch("resnet50", tmp_path / "cache")
    for part in ("resnet50-test.pth", "--network.weights", str(tmp_path / "cache")):
        assert part in str(error.value)
