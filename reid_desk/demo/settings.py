"""What a demo site is made of: how many people, how long the clips, and the look of every camera.

This is the one place to tune the demo: the gap between the source and the site's cameras is set by the
:class:`CameraLook` of each scene and by the two wardrobes (:mod:`reid_desk.demo.people`).
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True)
class CameraLook:
    """What a camera does to the light that reaches it, in the order in which it is applied.

    Attributes:
        saturation: 0 is grey, 1 leaves colours as they are.
        gain: Factor of red, green and blue: the colour cast.
        gamma: Exponent on values in 0..1; above 1 darkens the middle tones.
        contrast: Slope around the middle grey.
        blur: Sigma of the lens blur in pixels; 0 is none.
        noise: Sigma of the sensor's noise in grey levels of 255.
        grain: Size of a noise grain in pixels, at least 1.
        crf: Constant rate factor of the clip's H.264; more is coarser.
        jpeg_quality: Quality of single images, 1 to 95 (source only).
    """

    saturation: float = 1.0
    gain: tuple[float, float, float] = (1.0, 1.0, 1.0)
    gamma: float = 1.0
    contrast: float = 1.0
    blur: float = 0.0
    noise: float = 0.0
    grain: int = 1
    crf: int = 23
    jpeg_quality: int = 90


@dataclass(frozen=True)
class CameraSettings:
    """One camera: which scene it sees, from where, and how.

    Attributes:
        name: The camera's name at the site, also the stem of its clip.
        scene: A painter of :mod:`reid_desk.demo.scenes`.
        width: Frame width in pixels, even.
        height: Frame height in pixels, even.
        mount: Height of the lens above the ground in metres.
        pitch: Downward tilt in degrees.
        field_of_view: Horizontal, in degrees.
        near: Nearest depth in metres at which people walk.
        far: Farthest depth in metres at which people walk.
        look: What the camera does to the picture.
        delay: Seconds that this camera's clip starts after the first camera's.
    """

    name: str
    scene: str
    width: int
    height: int
    mount: float
    pitch: float
    field_of_view: float
    near: float
    far: float
    look: CameraLook = field(default_factory=CameraLook)
    delay: float = 0.0


HALL = CameraSettings(
    name="hall",
    scene="hall",
    width=800,
    height=450,
    mount=2.7,
    pitch=13.5,
    field_of_view=56.0,
    near=5.2,
    far=8.6,
    look=CameraLook(
        saturation=1.0, gain=(1.06, 0.98, 0.86), gamma=0.95, contrast=0.95, blur=0.5, noise=2.0, crf=24
    ),
)
STREET = CameraSettings(
    name="street",
    scene="street",
    width=768,
    height=480,
    mount=3.6,
    pitch=17.0,
    field_of_view=50.0,
    near=6.6,
    far=11.0,
    look=CameraLook(
        saturation=0.92,
        gain=(0.84, 0.94, 1.06),
        gamma=1.05,
        contrast=1.0,
        blur=0.7,
        noise=3.0,
        grain=2,
        crf=24,
    ),
    delay=23.0,
)
PARKING = CameraSettings(
    name="parking",
    scene="parking",
    width=480,
    height=360,
    mount=2.5,
    pitch=13.0,
    field_of_view=60.0,
    near=4.3,
    far=7.0,
    look=CameraLook(
        saturation=0.8,
        gain=(0.93, 1.03, 0.88),
        gamma=1.1,
        contrast=0.94,
        blur=0.8,
        noise=2.2,
        grain=2,
        crf=26,
    ),
    delay=41.0,
)

SOURCE_CAMERAS = (
    CameraSettings(
        name="plaza",
        scene="plaza",
        width=480,
        height=360,
        mount=2.2,
        pitch=9.0,
        field_of_view=62.0,
        near=4.6,
        far=5.6,
        look=CameraLook(saturation=1.12, gain=(1.08, 1.0, 0.84), contrast=1.08),
    ),
    CameraSettings(
        name="studio",
        scene="studio",
        width=480,
        height=360,
        mount=1.7,
        pitch=4.0,
        field_of_view=60.0,
        near=4.2,
        far=5.0,
        look=CameraLook(saturation=1.05, gamma=0.9),
    ),
    CameraSettings(
        name="atrium",
        scene="atrium",
        width=480,
        height=360,
        mount=2.6,
        pitch=12.0,
        field_of_view=60.0,
        near=4.8,
        far=6.0,
        look=CameraLook(gain=(0.88, 0.98, 1.08), gamma=0.95),
    ),
)
"""Bright, clean and closer together than the site's, yet apart enough that colour alone does not tell people."""


@dataclass(frozen=True)
class DemoSettings:
    """Size and make-up of a demo site.

    Attributes:
        people: Persons who walk through the site; every one passes every camera at least once.
        lookalikes: Share of the people who have a double dressed nearly alike.
        second_pass: Share of the people who pass a camera a second time.
        together: How many people are in a camera's view at a time, on average.
        fps: Frames a second of every clip.
        lead_in: Seconds of empty scene at a clip's start, for background models.
        cameras: The site's cameras.
        started_at: When the first clip starts, seconds since the epoch (UTC).
        source_people: Persons of the labelled source; none of them is seen at the site.
        source_images: Images of each person in each source camera.
        source_cameras: The source's cameras.
        processes: Worker processes; 1 renders in the caller's own.
    """

    people: int = 40
    lookalikes: float = 0.3
    second_pass: float = 0.25
    together: float = 2.8
    fps: int = 10
    lead_in: float = 2.0
    cameras: tuple[CameraSettings, ...] = (HALL, STREET, PARKING)
    started_at: float = 1_772_546_400.0  # 2026-03-03 14:00 UTC
    source_people: int = 72
    source_images: int = 5
    source_cameras: tuple[CameraSettings, ...] = SOURCE_CAMERAS
    processes: int = 2
