"""A generated site: rendered people who walk past several cameras, and the truth about who is where."""

from reid_desk.demo.generation import DemoFootage, generate
from reid_desk.demo.settings import CameraLook, CameraSettings, DemoSettings

__all__ = ["CameraLook", "CameraSettings", "DemoFootage", "DemoSettings", "generate"]
