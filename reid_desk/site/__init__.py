"""A site on disk: SQLite and files. The only place with SQL."""

from reid_desk.site.clips import check_start
from reid_desk.site.names import checked_name
from reid_desk.site.records import (
    Box,
    Camera,
    Clip,
    Crop,
    CropTable,
    Evaluation,
    Model,
    NewCrop,
    NewTrack,
    Revision,
    Run,
    Source,
    Subject,
    Track,
    Verdict,
)
from reid_desk.site.site import Site

__all__ = [
    "Box",
    "Camera",
    "Clip",
    "Crop",
    "CropTable",
    "Evaluation",
    "Model",
    "NewCrop",
    "NewTrack",
    "Revision",
    "Run",
    "Site",
    "Source",
    "Subject",
    "Track",
    "Verdict",
    "check_start",
    "checked_name",
]
