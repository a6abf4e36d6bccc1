"""Finding the nearest of many vectors, exactly."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

BLOCK_VECTORS = 65_536  # large enough that FAISS is busy, small enough that all cores get some
MAXIMUM_THREADS = 8  # beyond that, memory is what limits
_MAGIC = b"ReID Desk index 1\n"

Scores = npt.NDArray[np.float32]
Rows = npt.NDArray[np.int64]


class VectorIndex(Protocol):
    """Vectors with ids, in the order they were added; a *row* is a place in that order."""

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """The id of each row, int64 ``[N]``."""

    def __len__(self) -> int:
        """Return the number of vectors."""

    def add(self, ids: npt.NDArray[np.int64], vectors: npt.NDArray[np.floating]) -> None:
        """Append vectors ``[N, D]`` under ids ``[N]``."""

    def search(
        self, query: npt.NDArray[np.floating], count: int, *, allowed: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Scores, Rows]:
        """Return inner products with ``query`` ``[D]``, best first, and the rows they belong to.

        Args:
            query: what to be near to.
            count: how many to return; fewer come only if there are no more.
            allowed: which rows may be returned, ``[N]``; all by default.
        """

    def vectors(self, rows: Rows) -> npt.NDArray[np.float32]:
        """Return the vectors of rows, float32 ``[len(rows), D]``."""


class FaissIndex:
    """Exact search over float16 vectors: as they are stored, in half the memory and time that float32 takes.

    The vectors lie in blocks, which FAISS searches side by side: on its own it keeps one core busy with a
    query.

    Args:
        size: number of dimensions ``D``.
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._ids = np.empty(0, dtype=np.int64)
        self._blocks: list[Any] = []
        self._threads = ThreadPoolExecutor(min(os.cpu_count() or 1, MAXIMUM_THREADS), "vector-index")

    @property
    def ids(self) -> npt.NDArray[np.int64]:
        """The id of each row, int64 ``[N]``."""
        return self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, ids: npt.NDArray[np.int64], vectors: npt.NDArray[np.floating]) -> None:
        """Append vectors ``[N, D]`` under ids ``[N]``.

        Raises:
            ValueError: not one vector of ``D`` dimensions for each id.
        """
        if vectors.shape != (len(ids), self.size):
            raise ValueError(f"{len(ids)} ids need vectors of {self.size} dimensions, not {vectors.shape}")
        codes = np.ascontiguousarray(vectors, dtype="<f2").view(np.uint8)
        start = 0
        while start < len(codes):
            block = self._open_block()
            part = codes[start : start + BLOCK_VECTORS - block.ntotal]
            block.add_sa_codes(part)
            start += len(part)
        self._ids = np.concatenate([self._ids, np.asarray(ids, dtype=np.int64)])

    def search(
        self, query: npt.NDArray[np.floating], count: int, *, allowed: npt.NDArray[np.bool_] | None = None
    ) -> tuple[Scores, Rows]:
        """Return inner products with ``query`` ``[D]``, best first, and the rows they belong to.

        Args:
            query: what to be near to.
            count: how many to return; fewer come only if there are no more.
            allowed: which rows may be returned, ``[N]``; all by default.
        """
        question = np.ascontiguousarray(query, dtype=np.float32).reshape(1, self.size)

        def search_block(number: int) -> tuple[Scores, Rows]:
            first = number * BLOCK_VECTORS
            mask = None if allowed is None else allowed[first : first + self._blocks[number].ntotal]
            scores, rows = _search_block(self._blocks[number], question, count, mask)
            return scores, rows + first

        parts = list(self._threads.map(search_block, range(len(self._blocks))))
        if not parts:
            return np.empty(0, dtype=np.float32), np.empty(0, dtype=np.int64)
        scores = np.concatenate([part[0] for part in parts])
        rows = np.concatenate([part[1] for part in parts])
        best = np.lexsort((rows, -scores))[:count]
        return scores[best], rows[best]

    def vectors(self, rows: Rows) -> npt.NDArray[np.float32]:
        """Return the vectors of rows, float32 ``[len(rows), D]``."""
        found = np.empty((len(rows), self.size), dtype=np.float32)
        for number, block in enumerate(self._blocks):
            here = np.flatnonzero(rows // BLOCK_VECTORS == number)
            if len(here):
                found[here] = block.reconstruct_batch(rows[here] - number * BLOCK_VECTORS)
        return found

    def save(self, path: Path, stamp: Mapping[str, Any]) -> None:
        """Write the index to a file, all or nothing.

        Args:
            path: of the file; its folder is made.
            stamp: what :meth:`load` will be asked for; anything JSON can hold.
        """
        import faiss  # noqa: PLC0415

        header = {"count": len(self), "size": self.size, "stamp": dict(stamp)}
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_name(f"{path.name}.{os.getpid()}.partial")
        try:
            with partial.open("wb") as file:
                file.write(_MAGIC + json.dumps(header).encode() + b"\n")
                file.write(self._ids.astype("<i8").tobytes())
                for block in self._blocks:
                    file.write(faiss.vector_to_array(block.codes).data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: Path) -> tuple[FaissIndex, dict[str, Any]] | None:
        """Return an index from a file with its stamp, or ``None`` if it is missing, damaged or unreadable."""
        try:
            with path.open("rb") as file:
                header = _read_header(file.readline(), file.readline())
                if header is None:
                    return None
                count, size = header["count"], header["size"]
                if path.stat().st_size != file.tell() + count * (8 + 2 * size):
                    return None
                ids = np.fromfile(file, dtype="<i8", count=count)
                index = cls(size)
                for start in range(0, count, BLOCK_VECTORS):
                    part = ids[start : start + BLOCK_VECTORS]
                    index.add(part, np.fromfile(file, dtype="<f2", count=len(part) * size).reshape(-1, size))
        except OSError:
            return None
        return index, header["stamp"]

    def _open_block(self) -> Any:
        import faiss  # noqa: PLC0415 - a third of a second that only a search needs

        if not self._blocks or self._blocks[-1].ntotal == BLOCK_VECTORS:
            self._blocks.append(
                faiss.IndexScalarQuantizer(
                    self.size, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT
                )
            )
        return self._blocks[-1]


def _search_block(
    block: Any, question: npt.NDArray[np.float32], count: int, allowed: npt.NDArray[np.bool_] | None
) -> tuple[Scores, Rows]:
    import faiss  # noqa: PLC0415

    parameters = None
    if allowed is not None and not allowed.all():
        bits = np.packbits(allowed, bitorder="little")
        selector = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        parameters = faiss.SearchParameters()
        parameters.sel = selector
    scores, rows = block.search(question, min(count, block.ntotal), params=parameters)
    found = rows[0] >= 0
    return scores[0][found], rows[0][found]


def _read_header(magic: bytes, line: bytes) -> dict[str, Any] | None:
    if magic != _MAGIC:
        return None
    try:
        header: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return header if header.keys() == {"count", "size", "stamp"} else None
