"""Which Java files are linked again when others change: enough of them, and not all."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from graphmer_geo.kg.claims import Claims, claims_of
from graphmer_geo.kg.facts import FileFacts, LinkedFile
from graphmer_geo.kg.languages.base import link_all
from graphmer_geo.kg.languages.java import JAVA
from graphmer_geo.kg.resolve.java.headers import facts_of, header_of
from tests.kg.languages.java_case import SAMPLE, extract

ANIMALS = {
    "Animal.java": "package a; public class Animal { protected int legs; public void speak() { } }",
    "Dog.java": "package a; public class Dog extends Animal {"
    " public void speak() { } void run() { legs++; } }",
    "Sound.java": "package a; public interface Sound { void make(int volume); }",
    "Zoo.java": "package b; import a.*; class Zoo { Animal pet; void f(Dog d) { d.speak(); pet.speak(); } }",
    "Radio.java": "package b; import a.Sound; class Radio { Sound s = v -> { }; void on() { s.make(1); } }",
    "Other.java": "package b; class Other { void g() { new Object().hashCode(); } }",
}


def headers(files: Mapping[str, str]) -> dict[str, str]:
    return {
        path: JAVA.updates.header(JAVA.share(extract(text, path))) for path, text in sorted(files.items())
    }


def affected(change: Mapping[str, str | None]) -> set[str] | None:
    """The unchanged files that a change has a say in; None: all."""
    now: dict[str, str] = {k: v for k, v in {**ANIMALS, **change}.items() if v is not None}
    affects = JAVA.updates.affected(headers(ANIMALS), headers(now))
    if affects is None:
        return None
    return {path for path, text in now.items() if path not in change and affects(text.encode())}


DOG = ANIMALS["Dog.java"]
CHANGES: list[tuple[dict[str, str | None], set[str] | None]] = [
    ({"Dog.java": DOG.replace("legs++;", "legs--; int x = 1;")}, set()),
    ({"Dog.java": "/* moved */\n" + DOG}, set()),
    ({"Dog.java": DOG.replace("void run()", "void walk()")}, set()),
    ({"Dog.java": DOG.replace("void run()", "void speak(int volume)")}, {"Animal.java", "Zoo.java"}),
    ({"Dog.java": DOG.replace("{ public", "{ private Dog() { } public", 1)}, None),  # nobody can extend it
    ({"Dog.java": DOG.replace("{ public", "{ Dog() { } public", 1)}, {"Zoo.java"}),
    ({"Dog.java": DOG.replace(" extends Animal", "")}, None),
    ({"Dog.java": DOG.replace("legs++;", "new Animal() { };")}, None),
    ({"Dog.java": DOG.replace("a;", "a; import java.util.List;")}, set()),
    ({"Dog.java": DOG.replace("a;", "a; import x.Other;")}, {"Other.java"}),
    ({"Dog.java": DOG.replace("a;", "a; import x.Animal;")}, None),
    ({"Animal.java": ANIMALS["Animal.java"].replace("int legs", "long legs")}, {"Dog.java"}),
    ({"Sound.java": "package a; public interface Sound { void make(int volume); void stop(); }"}, None),
    ({"Fresh.java": "package b; class Fresh { void g() { } }"}, {"Other.java"}),
    ({"Fresh.java": "package b; class Fresh extends a.Animal { }"}, None),
    ({"Fresh.java": "package c; class Fresh { }"}, None),  # c.Fresh may be what somebody's `c` is
    ({"Fresh.java": "package a; class Sound2 { } class Other { }"}, {"Other.java"}),
    ({"Dog.java": None, "kennel/Dog.java": DOG}, set()),
    ({"Dog.java": None}, None),
]  # fmt: skip


@pytest.mark.parametrize(("change", "expected"), CHANGES)
def test_a_change_reaches_whoever_writes_a_name_of_it(
    change: dict[str, str | None], expected: set[str] | None
) -> None:
    assert affected(change) == expected


def test_a_header_says_what_linking_needs() -> None:
    facts = [extract(path.read_bytes(), path.name) for path in sorted(SAMPLE.rglob("*.java"))]
    recalled = [JAVA.updates.recall(JAVA.updates.header(JAVA.share(each))) for each in facts]
    alone = []
    for index, each in enumerate(facts):
        linker = JAVA.linker(recalled, {index: each})
        assert linker.exchange([]) == []
        alone.append(linker.link(index))
    assert alone == link_all(JAVA, facts)


def test_a_header_has_no_places() -> None:
    text = (
        "package a; class A<T extends B> { int f = 1; <U> T m(U u, int... x) { return null; } class N { } }"
    )
    header = header_of(extract(text))
    assert header_of(extract("\n\n/** Doc. */ " + text.replace("null", "(T) null"))) == header
    again = facts_of(header)
    assert header_of(FileFacts(again.source, again.entities, again.syntax)) == header


def linked(files: Mapping[str, FileFacts]) -> tuple[dict[str, LinkedFile], dict[str, str]]:
    claims = Claims()
    mine = {path: facts for path, facts in sorted(files.items()) if claims.take(claims_of(facts)) is None}
    results = link_all(JAVA, list(mine.values()))
    return (
        dict(zip(mine, results, strict=True)),
        {path: JAVA.updates.header(JAVA.share(facts)) for path, facts in mine.items()},
    )


def content(file: LinkedFile) -> Any:
    return sorted(map(repr, file.occurrences)), set(file.edges), file.externals


def edit(files: dict[str, bytes], chance: random.Random) -> None:
    """Take a declaration out of a file, move it to another one, rename it, or rename or delete the file."""
    path = chance.choice(sorted(files))
    raw = files[path]
    entities = [e for e in extract(raw, path).entities if e.kind != "Package" and e.name_end > e.name_start]
    entity = chance.choice(entities or [None])  # type: ignore[list-item]
    kind = chance.choice(("cut", "move", "rename", "call", "file", "delete"))
    if kind == "file":
        files[f"elsewhere/{path}"] = files.pop(path)
    elif kind == "delete":
        del files[path]
    elif entity is not None and kind in ("cut", "move"):
        files[path] = raw[: entity.start] + raw[entity.end :]
        other = chance.choice(sorted(files))
        if kind == "move":
            at = files[other].rfind(b"}")
            files[other] = files[other][:at] + raw[entity.start : entity.end] + b";" + files[other][at:]
    elif entity is not None:
        name = chance.choice(entities).name if kind == "call" else f"fresh{chance.randrange(9)}"
        files[path] = raw[: entity.name_start] + name.encode() + raw[entity.name_end :]


@pytest.mark.parametrize("seed", range(3))
def test_whoever_links_otherwise_is_affected(seed: int) -> None:
    chance = random.Random(seed)
    original = {path.name: path.read_bytes() for path in sorted(SAMPLE.rglob("*.java"))[seed::3]}
    files = dict(original)
    before, old = linked({path: extract(raw, path) for path, raw in files.items()})
    spared = 0
    for _ in range(12):
        texts = dict(files)
        edit(files, chance)
        after, new = linked({path: extract(raw, path) for path, raw in files.items()})
        affects = JAVA.updates.affected(old, new)
        for path in after.keys() & before.keys():
            if texts.get(path) == files[path] and not (affects is None or affects(files[path])):
                spared += 1
                assert content(before[path]) == content(after[path]), path
        before, old = after, new
    assert spared
