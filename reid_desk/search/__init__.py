"""Crops -> embeddings (ONNX Runtime) -> index (FAISS) -> ranking."""

from reid_desk.search.embedder import Embedder
from reid_desk.search.feedback import refined_query
from reid_desk.search.images import decode_image
from reid_desk.search.index import FaissIndex, VectorIndex
from reid_desk.search.ranking import RankedTrack, rank_tracks

__all__ = [
    "Embedder",
    "FaissIndex",
    "RankedTrack",
    "VectorIndex",
    "decode_image",
    "rank_tracks",
    "refined_query",
]
