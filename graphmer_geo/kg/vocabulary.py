"""Names of the ontology that the code uses.

A test checks every one of them against ``ontology/graphmer.ttl``.
"""

from __future__ import annotations

GM = "https://w3id.org/graphmer#"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
OWL = "http://www.w3.org/2002/07/owl#"
XSD = "http://www.w3.org/2001/XMLSchema#"
PROV = "http://www.w3.org/ns/prov#"
SHACL = "http://www.w3.org/ns/shacl#"
SKOS = "http://www.w3.org/2004/02/skos/core#"

#: Prefixes every query may use without declaring them.
PREFIXES = {
    "gm": GM, "rdf": RDF, "rdfs": RDFS, "owl": OWL, "xsd": XSD, "prov": PROV, "skos": SKOS,
}  # fmt: skip

RDF_TYPE = RDF + "type"

#: Kinds an extractor may give an entity: the leaves of the class tree that source text can declare.
KINDS = frozenset(
    "Module Package Class Interface Enum Record AnnotationType Function Method Constructor Lambda "
    "Initializer Parameter Field EnumConstant GlobalVariable TypeParameter".split()
)
EXTERNAL = "ExternalSymbol"

#: Relations that follow from which entity lies in which.
CONTAINMENT = ("declares", "hasParameter", "hasTypeParameter")

#: Relations that are asserted because some text refers to something.
REFERENCES = (
    "annotatedWith", "calls", "catches", "declaresThrown", "decoratedBy", "extends", "hasType", "implements",
    "imports", "instantiates", "overrides", "raises", "reads", "refersTo", "returnsType", "writes",
)  # fmt: skip

#: Every relation asserted between two entities, sorted.
RELATIONS = tuple(sorted(CONTAINMENT + REFERENCES))

#: Datatype properties of an entity that the builder writes from the fields of ``Entity``.
ENTITY_FIELDS = {
    "name": "name",
    "qualifiedName": "qualified_name",
    "startByte": "start",
    "endByte": "end",
    "startLine": "start_line",
    "endLine": "end_line",
}

#: Datatype properties an extractor may put into ``Entity.literals``, with the Python type of their values.
LITERALS: dict[str, type] = {
    "docstring": str,
    "signature": str,
    "importText": str,
    "isAsync": bool,
    "isGenerator": bool,
    "isAbstract": bool,
    "isStatic": bool,
    "isClassMethod": bool,
    "isProperty": bool,
    "isOverload": bool,
    "isVarArgs": bool,
    "isPackage": bool,
    "visibility": str,
    "modifier": str,
    "parameterIndex": int,
    "parameterKind": str,
    "hasDefault": bool,
    "defaultText": str,
}

#: Datatype properties of files and projects.
ARTIFACT_LITERALS = ("language", "path", "sha256", "byteSize", "lineCount", "version")

#: What `graphmer_geo.kg.derived` adds by rules that are no OWL axioms.
DERIVED_CLASSES = ("AbstractClass", "AbstractMethod", "DataClass", "ExceptionClass")
DERIVED_RELATIONS = ("hasConstructor", "hasField", "hasInnerType", "hasMethod", "inNamespace")
DERIVED_LITERALS = ("fanIn", "fanOut")

#: Class of the node of a reference, by its role in the occurrence table (others: Reference).
REFERENCE_CLASSES = {
    "call": "CallSite", "read": "NameRead", "write": "NameWrite", "base": "TypeUse", "type": "TypeUse",
    "raise": "TypeUse", "catch": "TypeUse", "import": "Reference", "decorator": "Reference",
    "annotation": "Reference",
}  # fmt: skip
#: What only an export with occurrences writes of references.
REFERENCE_RELATIONS = ("hasReference", "target")
REFERENCE_LITERALS = ("role", "evidenceFor", "writtenAs", "resolutionMethod")
#: What it writes of declarations.
NAME_LITERALS = ("nameStartByte", "nameEndByte")

# Named graphs
# -------------------------------------------------------------------------------------------------
GRAPH_BASE = "https://w3id.org/graphmer/graph/"
FILE_GRAPHS = GRAPH_BASE + "file/"  #: + first 16 digits of the SHA-256 + "/" + file key
HEURISTIC_GRAPHS = GRAPH_BASE + "heuristic/"  #: the same, for edges whose only evidence is heuristic
#: What several files say alike: external symbols, projects, Java packages. Each triple is in one graph only,
#: because Oxigraph's union of graphs repeats a triple that is in several, and counts would be wrong.
SHARED_GRAPH = GRAPH_BASE + "shared"
ASSERTED_GRAPHS = (
    FILE_GRAPHS,
    HEURISTIC_GRAPHS,
    SHARED_GRAPH,
)  #: prefixes of all graphs that hold asserted facts
INFERRED_GRAPHS = GRAPH_BASE + "inferred/"  #: + name of the rule
ONTOLOGY_GRAPH = GRAPH_BASE + "ontology"
PROVENANCE_GRAPH = GRAPH_BASE + "provenance"

#: References, in exports that ask for them.
REFERENCE_GRAPH = GRAPH_BASE + "references"

#: + file key/start-end/role/number: the IRI of a reference
REFERENCE_BASE = "https://w3id.org/graphmer/reference/"
FILE_BASE = "https://w3id.org/graphmer/file/"  #: + file key: the IRI of a source file
PROJECT_BASE = "https://w3id.org/graphmer/project/"  #: + language/package/version
AGENT_BASE = "https://w3id.org/graphmer/agent/"  #: + name/version of a tool
EXTRACTION = "https://w3id.org/graphmer/activity/extraction"  #: the PROV activity that made the file graphs


def gm(name: str) -> str:
    """The full IRI of a term of the ontology."""
    return GM + name


def containment_of(kind: str) -> str:
    """The relation that ties an entity of this kind to its parent."""
    return {"Parameter": "hasParameter", "TypeParameter": "hasTypeParameter"}.get(kind, "declares")


def graph_of_file(prefix: str, sha256: str, key: str) -> str:
    """IRI of a file's named graph, under `FILE_GRAPHS` or `HEURISTIC_GRAPHS`."""
    return f"{prefix}{sha256[:16]}/{key}"
