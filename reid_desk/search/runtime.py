"""Opening ONNX files on the best device there is, without complaints about the ones there are not."""

from __future__ import annotations

import ctypes
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from reid_desk.errors import ModelError, ReidDeskError

if TYPE_CHECKING:
    import onnxruntime

DEVICES = ("auto", "cpu", "cuda")


def open_session(
    path: Path, *, device: str = "auto", threads: int | None = None
) -> tuple[onnxruntime.InferenceSession, str]:
    """Return a session for a model file and the device it runs on, ``cpu`` or ``cuda``.

    Args:
        path: of the ONNX file.
        device: one of ``DEVICES``; ``auto`` takes a CUDA GPU where one works.
        threads: number of CPU threads; all cores by default.

    Raises:
        ModelError: the file is missing, damaged or no ONNX file.
        ReidDeskError: ``cuda`` was asked for and does not work.
        ValueError: there is no such device.
    """
    if device not in DEVICES:
        raise ValueError(f"{device!r} is none of {', '.join(DEVICES)}")
    if not path.is_file():
        raise ModelError(f"There is no model file {path}; adapt the site, or bring the file.")
    use_cuda = device != "cpu" and cuda_works()
    if device == "cuda" and not use_cuda:
        raise ReidDeskError(
            "No CUDA GPU can be used on this machine; choose the device cpu, or install its driver."
        )
    session = _session(path, "CUDAExecutionProvider" if use_cuda else "CPUExecutionProvider", threads)
    return session, "cuda" if "CUDAExecutionProvider" in session.get_providers() else "cpu"


@cache
def cuda_works() -> bool:
    """Tell whether ONNX Runtime has CUDA and the machine a GPU with its driver.

    ONNX Runtime names its CUDA provider even where there is no GPU, and complains at length when asked to use
    it.
    """
    import onnxruntime  # noqa: PLC0415 - the desk's window starts without it

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers() or not _gpu_count():
        return False
    onnxruntime.preload_dlls(directory="")
    return True


def _gpu_count() -> int:
    try:
        driver = ctypes.CDLL("nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1")
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value


def _session(path: Path, provider: str, threads: int | None) -> onnxruntime.InferenceSession:
    import onnxruntime  # noqa: PLC0415
    from onnxruntime.capi import onnxruntime_pybind11_state as states  # noqa: PLC0415

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or 0
    options.log_severity_level = 3  # errors; its warnings are for those who build models
    providers = (
        ["CPUExecutionProvider"] if provider == "CPUExecutionProvider" else [provider, "CPUExecutionProvider"]
    )
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except (
        states.Fail,
        states.InvalidArgument,
        states.InvalidGraph,
        states.InvalidProtobuf,
        states.NoModel,
        states.NotImplemented,
        states.RuntimeException,
    ) as error:
        raise ModelError(f"{path} is damaged or no ONNX model; export the model again.") from error
