"""The knowledge graphs of a dataset as PyTorch Geometric has its datasets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import torch
from torch_geometric.data import HeteroData, InMemoryDataset

from graphmer_geo.data.hetero import hetero_from_tables
from graphmer_geo.data.splits import SPLITS, units_of
from graphmer_geo.datasets.corpus import Corpus, fetch_corpus
from graphmer_geo.datasets.recipe import load_recipe
from graphmer_geo.errors import UserError
from graphmer_geo.kg import KnowledgeGraph, build_kg

Transform = Callable[[HeteroData], HeteroData]
EdgeType = tuple[str, str, str]

_COLUMNS = ("iri", "kind", "name", "qualified_name", "file")


class CodeKGDataset(InMemoryDataset):
    """The graphs of a dataset's code: one :class:`~torch_geometric.data.HeteroData` per project.

    What a graph holds is said by :func:`graphmer_geo.data.to_hetero`: the ontology's classes are node types,
    its relations edge types. A project's graph holds the facts that its files assert, the entities that they
    declare, and those they refer to. Each has ``project`` and ``split`` (strings). All graphs have all node
    and edge types, empty where a project has none.

    Args:
        root: Folder of the dataset: ``raw/kg`` is the knowledge graph, ``processed/`` the tensors.
        name: A shipped recipe, such as ``"pypi-20"``, or a recipe file.
        split: "train", "validation" or "test"; None: the projects of all.
        per_project: False: one graph of the whole corpus (``split`` must be None then).
        jdk: Where a JDK's sources are, for recipes that read them (default: ``$JAVA_HOME``).
        workers: Processes that build the graph.
        transform: Applied at every access.
        pre_transform: Applied once, before saving.
        pre_filter: Which graphs to keep, before saving.
        force_reload: Process again.

    Raises:
        UserError: There is no such recipe or split, its split is drawn and not named, or the code cannot be
            fetched.
    """

    def __init__(
        self,
        root: str | Path,
        name: str | Path = "stdlib",
        split: str | None = None,
        *,
        per_project: bool = True,
        jdk: str | Path | None = None,
        workers: int = 1,
        transform: Transform | None = None,
        pre_transform: Transform | None = None,
        pre_filter: Callable[[HeteroData], bool] | None = None,
        force_reload: bool = False,
    ) -> None:
        if split is not None and split not in SPLITS:
            raise UserError(f"no split {split!r}; use one of {', '.join(SPLITS)}, or None for all")
        if split is not None and not per_project:
            raise UserError("a graph of the whole corpus has no split; leave per_project on or split out")
        self.recipe = load_recipe(name)
        if per_project and not (self.recipe.split.test and self.recipe.split.validation):
            raise UserError(
                f"recipe {self.recipe.name!r} names no validation and test units, so its graphs have no "
                "split; name them or use per_project=False"
            )
        self.split, self.per_project, self._jdk, self._workers = split, per_project, jdk, workers
        super().__init__(str(root), transform, pre_transform, pre_filter, force_reload=force_reload)
        names = self.processed_file_names
        self.load(self.processed_paths[names.index(f"{split}.pt") if split else -1])

    @property
    def raw_file_names(self) -> list[str]:
        """What was read, and the graph of it."""
        return ["corpus.json", "kg"]

    @property
    def processed_file_names(self) -> list[str]:
        """One file per split, and one of all; or the whole graph."""
        return [*(f"{split}.pt" for split in SPLITS), "projects.pt"] if self.per_project else ["whole.pt"]

    def download(self) -> None:
        """Fetch the code, and build its graph."""
        corpus = self._corpus()
        build_kg(corpus.sources, Path(self.raw_dir) / "kg", workers=self._workers)
        text = json.dumps(corpus.to_dict(), indent=1) + "\n"
        (Path(self.raw_dir) / "corpus.json").write_text(text, encoding="utf-8")

    def process(self) -> None:
        """From the graph to tensors."""
        kg = KnowledgeGraph.open(Path(self.raw_dir) / "kg")
        graphs = self._projects(kg) if self.per_project else [_whole(kg)]
        if self.pre_filter is not None:
            graphs = [graph for graph in graphs if self.pre_filter(graph)]
        if self.pre_transform is not None:
            graphs = [self.pre_transform(graph) for graph in graphs]
        for path, name in zip(self.processed_paths, self.processed_file_names, strict=True):
            split = name.removesuffix(".pt")
            chosen = [g for g in graphs if split not in SPLITS or g.split == split]
            if not chosen:
                raise UserError(f"no project of {self.recipe.name!r} is in the {split} split; name some")
            self.save(chosen, path)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.recipe.name}, {self.split or 'all'}, {len(self)})"

    def _corpus(self) -> Corpus:
        return fetch_corpus(self.recipe, jdk=self._jdk)

    def _projects(self, kg: KnowledgeGraph) -> list[HeteroData]:
        split = self.recipe.split
        unit_of = units_of(kg.manifest.files, split.by)
        named = dict.fromkeys(split.validation, "validation") | dict.fromkeys(split.test, "test")
        if unknown := sorted(named.keys() - set(unit_of.values())):
            raise UserError(f"recipe {self.recipe.name!r} splits {unknown[0]!r}, which its graph lacks")
        entities, triples = kg.entities(_COLUMNS), kg.triples()
        graphs = []
        for unit in sorted(set(unit_of.values())):
            data = _part(entities, triples, {key for key, found in unit_of.items() if found == unit})
            data.project, data.split = unit, named.get(unit, "train")
            graphs.append(data)
        _same_types(graphs)
        return graphs


def _whole(kg: KnowledgeGraph) -> HeteroData:
    data = hetero_from_tables(kg.entities(_COLUMNS), kg.triples())
    data.project = data.split = "all"
    return data


def _part(entities: pa.Table, triples: pa.Table, files: set[str]) -> HeteroData:
    """The facts that some files assert, and the entities that they declare or name."""
    keys = pa.array(sorted(files), pa.string())
    facts = triples.filter(pc.is_in(triples["file"], value_set=keys))
    named = pa.concat_arrays([*facts["subject"].chunks, *facts["object"].chunks])
    declared = pc.fill_null(pc.is_in(entities["file"], value_set=keys), False)
    kept = entities.filter(pc.or_(declared, pc.is_in(entities["iri"], value_set=pc.unique(named))))
    return hetero_from_tables(kept, facts)


def _same_types(graphs: list[HeteroData]) -> None:
    """Give every graph all node and edge types: PyG slices storage by storage."""
    nodes: dict[str, None] = {}
    edges: dict[EdgeType, None] = {}
    for graph in graphs:
        nodes |= dict.fromkeys(graph.node_types)
        edges |= dict.fromkeys(graph.edge_types)
    for graph in graphs:
        _fill(graph, sorted(nodes), sorted(edges))


def _fill(graph: HeteroData, nodes: list[str], edges: list[EdgeType]) -> None:
    for kind in set(nodes) - set(graph.node_types):
        store = graph[kind]
        store.num_nodes = 0
        store.node_id = torch.zeros(0, dtype=torch.int64)
        for column in ("iri", "name", "qualified_name"):
            store[column] = []
    for edge_type in set(edges) - set(graph.edge_types):
        graph[edge_type].edge_index = torch.zeros(2, 0, dtype=torch.int64)
        graph[edge_type].heuristic = torch.zeros(0, dtype=torch.bool)
