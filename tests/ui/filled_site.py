"""A site filled with drawn people, as if footage had been imported and a model made for it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from reid_desk.jobs.events import Finished, Hello, Metric, Phase, Progress, format_event
from reid_desk.jobs.events import Image as ImageEvent
from reid_desk.search import Embedder, decode_image
from reid_desk.site import Box, NewCrop, NewTrack, Site
from tests.fixtures_model import write_embedder

STARTED_AT = 1_793_000_000.0
CAMERAS = ("North gate", "Car park", "Lobby")
_SKIN = ((236, 198, 170), (198, 150, 115), (120, 82, 58), (92, 60, 42))


def draw_person(identity: int, camera: int, variant: int, *, height: int = 160) -> Image.Image:
    """Draw a person: clothes by ``identity``, light by ``camera``, pose by ``variant``."""
    person = np.random.default_rng(identity)
    pose = np.random.default_rng(10_000 + 97 * identity + 13 * variant + camera)
    width = height // 2
    ground = ((168, 172, 176), (120, 128, 120), (196, 186, 172))[camera % 3]
    image = Image.new("RGB", (width, height), ground)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, height * 0.62, width, height), fill=tuple(int(c * 0.82) for c in ground))
    top, legs, shoes = (tuple(int(v) for v in person.integers(25, 230, 3)) for _ in range(3))
    skin = _SKIN[int(person.integers(len(_SKIN)))]
    hair = tuple(int(v) for v in person.integers(15, 90, 3))
    middle = width / 2 + float(pose.normal(0, width * 0.04))
    stride = float(pose.uniform(0.03, 0.16)) * width
    build = float(person.uniform(0.16, 0.22)) * width
    draw.ellipse(
        (middle - build * 1.6, height * 0.93, middle + build * 1.6, height * 0.975), fill=(70, 70, 72)
    )
    for side in (-1, 1):
        foot = middle + side * stride
        draw.line(
            (middle + side * build * 0.4, height * 0.52, foot, height * 0.93),
            fill=legs,
            width=int(build * 0.85),
        )
        draw.ellipse((foot - build * 0.5, height * 0.91, foot + build * 0.7, height * 0.955), fill=shoes)
        hand = middle + side * (build * 1.25 + stride * 0.3)
        draw.line(
            (middle + side * build * 0.9, height * 0.24, hand, height * 0.5), fill=top, width=int(build * 0.5)
        )
        draw.ellipse((hand - 3, height * 0.49, hand + 3, height * 0.53), fill=skin)
    draw.rounded_rectangle(
        (middle - build, height * 0.2, middle + build, height * 0.55), build * 0.5, fill=top
    )
    if person.random() < 0.35:
        bag = tuple(int(v) for v in person.integers(20, 200, 3))
        draw.rounded_rectangle(
            (middle + build * 0.5, height * 0.25, middle + build * 1.25, height * 0.45), 4, fill=bag
        )
    head = height * 0.055
    draw.ellipse((middle - head, height * 0.075, middle + head, height * 0.195), fill=skin)
    draw.pieslice(
        (middle - head * 1.1, height * 0.06, middle + head * 1.1, height * 0.18), 180, 360, fill=hair
    )
    light = 1.0 + (0.0, -0.16, 0.08)[camera % 3]
    pixels = np.asarray(image.filter(ImageFilter.GaussianBlur(0.8)), dtype=np.float32) * light
    pixels += pose.normal(0, 5, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def jpeg_of(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return out.getvalue()


def add_clip(site: Site, camera: int, number: int, people: list[int], crops: int, footage: Path) -> int:
    """Add one imported clip in which ``people`` walk by."""
    started = STARTED_AT + 3_600 * number + 40 * camera
    path = footage / CAMERAS[camera].lower().replace(" ", "-") / f"{number:02}-morning.mp4"
    clip = site.begin_clip(
        CAMERAS[camera],
        path,
        sha256=hashlib.sha256(str(path).encode()).hexdigest(),
        size=52_000_000,
        started_at=started,
        started_from="file name",
        fps=25.0,
        width=1920,
        height=1080,
        detector="motion",
    )
    tracks = []
    for place, identity in enumerate(people):
        first = 50 + 400 * place
        boxes = [
            Box(first + k, started + (first + k) / 25, 200.0 + 8 * k, 300.0, 90.0, 180.0, 0.9)
            for k in range(20)
        ]
        tracks.append(
            NewTrack(
                boxes,
                [
                    NewCrop(
                        box.frame, box.time, box.left, box.top, box.width, box.height, 0.9, 0.8,
                        jpeg_of(draw_person(identity, camera, 7 * number + k)),
                    )
                    for k, box in enumerate(boxes[:: max(20 // crops, 1)][:crops])
                ],
            )
        )  # fmt: skip
    site.finish_clip(clip, tracks, frames=45_000, duration=1_800.0)
    return clip


def add_source(site: Site, folder: Path, *, role: str = "source", people: int = 12) -> None:
    """Write a labelled data set of drawn people and add it."""
    for identity in range(people):
        for camera in range(2):
            place = folder / f"{identity:04}" / f"c{camera + 1}"
            place.mkdir(parents=True, exist_ok=True)
            for k in range(2):
                draw_person(500 + identity, camera + 1, k, height=128).save(place / f"{k}.jpg", quality=85)
    site.add_source(folder.name, folder, "<identity>/<camera>", people, 2, people * 4, role=role)


def add_model(site: Site, work: Path, *, name: str, seed: int, run_id: str | None = None) -> str:
    """Add a small working model and embed all crops with it."""
    write_embedder(work / "model.onnx", seed=seed)
    model = site.add_model(work, name=name, run_id=run_id)
    crops = site.crops()
    images = site.crop_images([crop.id for crop in crops])
    embedder = Embedder(model.path, device="cpu")
    vectors = embedder.embed([decode_image(images[crop.id]) for crop in crops])
    site.store_vectors(model.id, [crop.id for crop in crops], vectors)
    site.use_model(model.id)
    return model.id


def curve(first: float, last: float) -> list[float]:
    ranks = np.arange(50)
    return [float(value) for value in last - (last - first) * np.exp(-ranks / 6.0)]


def metrics(mean_precision: float, first: float, last: float, *, queries: int = 120) -> dict[str, object]:
    cmc = curve(first, last)
    return {
        "mAP": mean_precision, "rank1": cmc[0], "rank5": cmc[4], "rank10": cmc[9], "cmc": cmc, "queries": queries,
        "gallery": 480,
    }  # fmt: skip


def write_events(folder: Path, *, until: str = "end") -> None:
    """Write the events of an adaptation, whole or ``until`` a phase."""
    events: list[object] = [Hello(1, "adapt", folder.name)]
    rng = np.random.default_rng(1)

    def losses(names: tuple[str, ...], steps: int, epochs: int, **more: float) -> None:
        for step in range(steps):
            decay = np.exp(-3 * step / steps)
            values = {
                name: float((2 - k * 0.5) * decay + 0.3 + rng.normal(0, 0.06)) for k, name in enumerate(names)
            }
            events.append(Metric({**values, "epoch": 1 + step * epochs // steps, **more}))
            events.append(Progress(step + 1, steps))

    sheet = Image.new("RGB", (8 * 68, 2 * 132), (24, 26, 30))
    for k in range(8):
        sheet.paste(draw_person(500 + k, 1, 0, height=128), (68 * k + 2, 2))
        sheet.paste(draw_person(500 + k, 2, 0, height=128), (68 * k + 2, 134))
    (folder / "previews").mkdir(parents=True, exist_ok=True)
    sheet.save(folder / "previews" / "translation.png")
    events.append(Phase("style_transfer", "Learning the look of the site"))
    losses(("generator", "discriminator", "siamese"), 120, 4)
    events.append(ImageEvent("translation", str(folder / "previews" / "translation.png")))
    events.append(Phase("pretraining", "Learning to tell people apart"))
    losses(("loss", "identity", "triplet"), 160, 20, accuracy=0.93)
    events.append(Phase("adaptation", "Adapting to the people of the site"))
    for epoch in range(9):
        events.append(
            Metric({"epoch": epoch + 1, "clusters": 31 - epoch, "noise": 90 - 7 * epoch, "score": 0.4})
        )
    losses(("loss", "identity", "attraction"), 90, 15)
    if until == "end":
        events += [Phase("export", "Writing the model file"), Finished({})]
    lines = "".join(format_event(event) + "\n" for event in events)  # type: ignore[arg-type]
    (folder / "events.jsonl").write_text(lines, encoding="utf-8")


def fill(path: Path, *, people: int = 24, crops: int = 3, clips: int = 3, model: bool = True) -> None:
    """Make a site in ``path``; what it refers to lies beside it."""
    beside = path.with_name(path.name + "-files")
    beside.mkdir(parents=True)
    with Site.create(path, name="Harbour") as site:
        for camera in range(len(CAMERAS)):
            for number in range(clips):
                seen = [
                    identity for identity in range(people) if (identity + number) % clips != camera % clips
                ]
                add_clip(site, camera, number, seen, crops, beside)
        add_source(site, beside / "street-people")
        add_source(site, beside / "harbour-staff", role="evaluation", people=8)
        if not model:
            return
        add_model(site, beside / "first", name="Adapted 2026-11-02 21:10", seed=1)
        run = site.start_run("adapt", {"arguments": {"preset": "compact"}})
        write_events(run.folder)
        adapted = add_model(site, beside / "second", name="Adapted 2026-11-20 03:42", seed=2, run_id=run.id)
        site.update_run(run.id, "finished", report={"model": adapted})
        site.add_evaluation(adapted, "before", "harbour-staff", metrics(0.34, 0.41, 0.86))
        site.add_evaluation(adapted, "after", "harbour-staff", metrics(0.58, 0.66, 0.97))
