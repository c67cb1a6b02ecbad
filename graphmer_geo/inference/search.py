"""Finding functions by what they do: an index of vectors and words, made once and checked at every use."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow.parquet as pq
import torch
from numpy.typing import NDArray

from graphmer_geo.errors import UserError
from graphmer_geo.files import write_json
from graphmer_geo.inference.embed import Embedded, Embedder, Of, Progress, write_header
from graphmer_geo.inference.postings import Part, Postings
from graphmer_geo.inference.sources import ITEMS, fingerprint
from graphmer_geo.kg.folder import replaced_folder
from graphmer_geo.models.checkpoint import model_hash

FORMAT = 1
MANIFEST, VECTORS, FUNCTIONS, GRAPH = "manifest.json", "vectors.npy", "items.parquet", "hnsw.faiss"
#: Up to so many functions a query is compared with all of them; beyond, with neighbours in a graph (HNSW).
EXACT_UP_TO = 100_000
#: Links of a node of that graph, and how many nodes are looked at when it is built and searched.
_LINKS, _BUILD, _LOOK = 32, 100, 256
#: Candidates from vectors, and as many from words, whose full scores are compared.
_CANDIDATES = 200
_BLOCK = 65_536


@dataclass(frozen=True)
class Hit:
    """One function that was found: its score, and which part of it vectors and shared words contribute."""

    name: str
    kind: str
    file: str
    start: int
    end: int
    iri: str
    score: float
    vector_score: float
    word_score: float
    row: int


@dataclass(frozen=True)
class IndexManifest:
    """What an index was made of; it is used with nothing else."""

    model_hash: str
    ontology_version: str
    source: str
    source_fingerprint: str
    split: str
    of: str
    count: int
    size: int
    approximate: bool
    format: int = FORMAT


class SearchIndex:
    """Functions (or files) with their vectors and words, to be asked in plain words.

    Use :meth:`build` or :meth:`open`.

    Args:
        folder: of the index.
        manifest: what it was made of.
        embedder: of the run it was made with.
    """

    def __init__(self, folder: Path, manifest: IndexManifest, embedder: Embedder) -> None:
        self.folder, self.manifest, self.embedder = folder, manifest, embedder
        self.items = pq.read_table(folder / FUNCTIONS, memory_map=True)
        self.vectors: NDArray[np.float32] = np.load(folder / VECTORS, mmap_mode="r")
        self.postings = Postings.load(folder)
        self._graph: Any = None
        if manifest.approximate:
            import faiss

            self._graph = faiss.read_index(str(folder / GRAPH))
            self._graph.hnsw.efSearch = _LOOK

    def __len__(self) -> int:
        return self.manifest.count

    @classmethod
    def build(
        cls,
        run: str | Path,
        source: str | Path,
        out: str | Path,
        *,
        split: str = "all",
        of: Of = "functions",
        exact_up_to: int = EXACT_UP_TO,
        progress: Progress | None = None,
    ) -> Self:
        """Embed some code and write an index of it; the folder is replaced when the new one is complete.

        Vectors go to the disk as they are made; of the words 12 bytes for each different word of each
        function are held in memory.

        Args:
            run: folder of a run of ``graphmer finetune``.
            source: a knowledge graph, prepared data, or a JSONL file with ``code`` on each line.
            out: folder of the index.
            split: of prepared data; "all" for all.
            of: "functions" or "files".
            exact_up_to: larger indexes are searched by HNSW, which needs faiss (extra ``search``).
            progress: called with a stage, and how much of how much is done.

        Raises:
            UserError: run or source cannot be read, the run has not learnt to search, there is no code, or
                ``out`` holds something else.
        """
        target, embedder = Path(out), Embedder(run)
        if target.exists() and not (target / VECTORS).is_file() and any(target.iterdir()):
            raise UserError(f"{str(target)!r} exists and is no index; choose another folder")
        search = embedder.model.searcher
        blocks = embedder.source(source, split=split, of=of, progress=progress)
        with replaced_folder(target) as folder:
            parts: list[Part] = []
            count = _write_vectors(folder, blocks, embedder, parts)
            if not count:
                raise UserError(f"there are no {of} in {str(source)!r} ({split}); nothing is written")
            Postings.collect(parts, search.words.idf.numel()).save(folder)
            approximate = count > exact_up_to
            if approximate:
                _write_graph(folder, progress)
            manifest = IndexManifest(
                model_hash=model_hash(run), ontology_version=embedder.model.config.ontology_version,
                source=str(source), source_fingerprint=fingerprint(Path(source)), split=split, of=of,
                count=count, size=embedder.model.config.hidden_size, approximate=approximate,
            )  # fmt: skip
            write_json(folder / MANIFEST, asdict(manifest))
        return cls(target, manifest, embedder)

    @classmethod
    def open(cls, run: str | Path, folder: str | Path, source: str | Path | None = None) -> Self:
        """Open an index.

        Args:
            run: the run it was made with.
            folder: of the index.
            source: the code it was made of, to be compared with what that is now.

        Raises:
            UserError: there is no index, it is damaged, or model, ontology or code have changed since.
        """
        path = Path(folder)
        manifest = _read_manifest(path)
        embedder = Embedder(run)
        now = {"model_hash": model_hash(run), "ontology_version": embedder.model.config.ontology_version}
        if source is not None:
            now["source_fingerprint"] = fingerprint(Path(source))
        for name, value in now.items():
            if getattr(manifest, name) != value:
                raise UserError(
                    f"the index in {str(path)!r} is stale: its {name} is {getattr(manifest, name)[:16]!r}, "
                    f"now it is {value[:16]!r}; build it again (--rebuild)"
                )
        index = cls(path, manifest, embedder)
        if len(index.vectors) != manifest.count or len(index.items) != manifest.count:
            raise UserError(f"the index in {str(path)!r} is damaged: files differ in length; build it again")
        return index

    def search(self, query: str, top: int = 10) -> list[Hit]:
        """The functions that a question asks for, best first."""
        return self.search_many([query], top)[0]

    def search_many(self, queries: Sequence[str], top: int = 10) -> list[list[Hit]]:
        """:meth:`search` for several questions, which are encoded together.

        Raises:
            UserError: a question is empty, or ``top`` is not positive.
        """
        if top < 1:
            raise UserError(f"top is {top}; it must be at least 1")
        if any(not query.strip() for query in queries):
            raise UserError("the question is empty; say in a few words what the function does")
        asked = self.embedder.queries(list(queries))
        found = []
        for number in range(len(queries)):
            dense, words, rows = self._scores(asked, number, top)
            order = np.argsort(-(dense + words), kind="stable")[:top]
            found.append([self._hit(int(rows[i]), float(dense[i]), float(words[i])) for i in order])
        return found

    def _scores(
        self, asked: Embedded, number: int, top: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Scores by vectors and by words of candidates, and their rows."""
        head, vector = self.embedder.model.searcher, asked.vectors[number]
        word = np.unique(asked.words.take([number]).word)
        with torch.no_grad():
            dense_scale, word_scale = (float(scale) for scale in head.scales)
            weight = head.words.query_weight(torch.from_numpy(word).to(self.embedder.device)).cpu().numpy()
        words = word_scale * self.postings.scores(word, weight, len(self))
        if self._graph is None:
            rows, dense = np.arange(len(self)), np.empty(len(self), np.float32)
            for start in range(0, len(self), _BLOCK):
                dense[start : start + _BLOCK] = self.vectors[start : start + _BLOCK] @ vector
        else:
            wanted = min(max(_CANDIDATES, 2 * top), len(self))
            near = self._graph.search(vector[None], wanted)[1][0]
            shared = np.argpartition(-words, wanted - 1)[:wanted]
            rows = np.union1d(near[near >= 0], shared)
            dense = self.vectors[rows] @ vector
        return dense_scale * dense, words[rows], rows

    def _hit(self, row: int, dense: float, words: float) -> Hit:
        item = {name: column[0] for name, column in self.items.slice(row, 1).to_pydict().items()}
        return Hit(score=dense + words, vector_score=dense, word_score=words, row=row, **item)


def default_folder(run: str | Path, source: str | Path, of: str = "functions", split: str = "all") -> Path:
    """Where the index of some code is, if nothing else is said: in the run folder, by the code's path.

    By path and not by content, so that an index of code that has changed is found, and found to be stale.
    """
    told = f"{Path(source).resolve()}\n{of}\n{split}"
    return Path(run) / "indexes" / hashlib.sha256(told.encode()).hexdigest()[:16]


def _write_vectors(
    folder: Path, blocks: Iterator[Embedded], embedder: Embedder, parts: list[Part]
) -> int:
    """Vectors and items to files, postings of the words to ``parts``; how many there are."""
    count, size = 0, embedder.model.config.hidden_size
    with (folder / VECTORS).open("wb") as file, pq.ParquetWriter(folder / FUNCTIONS, ITEMS) as items:
        write_header(file, 0, size)
        for block in blocks:
            file.write(np.ascontiguousarray(block.vectors, "<f4").tobytes())
            items.write_table(block.items)
            with torch.no_grad():
                found = embedder.model.searcher.words.postings(embedder.bags(block.words))
            row, word, weight = (tensor.cpu().numpy() for tensor in found)
            parts.append(((row + count).astype(np.int32), word.astype(np.int32), weight))
            count += len(block.vectors)
        write_header(file, count, size)
    return count


def _write_graph(folder: Path, progress: Progress | None) -> None:
    """The HNSW graph of the vectors, read a block at a time."""
    import faiss

    vectors = np.load(folder / VECTORS, mmap_mode="r")
    graph = faiss.IndexHNSWFlat(vectors.shape[1], _LINKS, faiss.METRIC_INNER_PRODUCT)
    graph.hnsw.efConstruction = _BUILD
    for start in range(0, len(vectors), _BLOCK):
        graph.add(np.ascontiguousarray(vectors[start : start + _BLOCK]))
        if progress:
            progress("index", min(start + _BLOCK, len(vectors)), len(vectors))
    faiss.write_index(graph, str(folder / GRAPH))


def _read_manifest(folder: Path) -> IndexManifest:
    path = folder / MANIFEST
    if not path.is_file():
        raise UserError(f"there is no index in {str(folder)!r}; make one with `graphmer search RUN … --code`")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if values["format"] != FORMAT:
            raise UserError(
                f"{str(path)!r} has format {values['format']}, not {FORMAT}; build the index again"
            )
        return IndexManifest(**values)
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(f"{str(path)!r} is no manifest of an index ({error}); build it again") from None
