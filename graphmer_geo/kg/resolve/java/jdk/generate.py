"""Writes the library's signatures, with a JDK 17 on PATH.

Run ``python -m graphmer_geo.kg.resolve.java.jdk.generate`` and commit what it writes beside this module.
"""

from __future__ import annotations

import re
import subprocess
from collections import defaultdict
from pathlib import Path

PACKAGES = (
    "java.io",
    "java.lang",
    "java.lang.annotation",
    "java.lang.ref",
    "java.lang.reflect",
    "java.math",
    "java.net",
    "java.nio",
    "java.nio.charset",
    "java.nio.file",
    "java.nio.file.attribute",
    "java.text",
    "java.time",
    "java.time.format",
    "java.time.temporal",
    "java.util",
    "java.util.concurrent",
    "java.util.concurrent.atomic",
    "java.util.concurrent.locks",
    "java.util.function",
    "java.util.regex",
    "java.util.stream",
)

_DROPPED = re.compile(r"\b(?:public|protected|final|synchronized|native|volatile|transient|strictfp) ")
_THROWS = re.compile(r"\s+throws [^;]*")
_PARAMETERS = re.compile(r"\(([^()]*)\)")


def class_names() -> list[str]:
    """All class files of the packages, as ``javap`` names them; anonymous and local ones left out."""
    listing = subprocess.run(
        ["jimage", "list", str(_java_home() / "lib" / "modules")], check=True, capture_output=True, text=True
    ).stdout
    names, wanted = [], False
    for line in listing.splitlines():
        if line.startswith("Module: "):
            wanted = line.split()[1] == "java.base"
        elif wanted and line.endswith(".class"):
            name = line.strip().removesuffix(".class").replace("/", ".")
            if name.rpartition(".")[0] in PACKAGES and not re.search(r"\$\d|-info$", name):
                names.append(name)
    return names


def _java_home() -> Path:
    settings = subprocess.run(
        ["java", "-XshowSettings:properties", "-version"], check=True, capture_output=True, text=True
    ).stderr
    match = re.search(r"java\.home = (.+)", settings)
    if match is None:
        raise RuntimeError("java does not say where it is installed: check that `java -version` works")
    return Path(match[1].strip())


def disassemble(names: list[str]) -> dict[str, list[str]]:
    """The lines of every public or protected class, header first, by name."""
    found: dict[str, list[str]] = {}
    for start in range(0, len(names), 200):
        text = subprocess.run(
            ["javap", "-protected", "--module", "java.base", *names[start : start + 200]],
            check=False,
            capture_output=True,
            text=True,
        ).stdout
        lines: list[str] = []
        for line in text.splitlines():
            if line.startswith("Compiled from"):
                continue
            lines.append(line)
            if line == "}":
                name = re.search(r"(?:class|interface) ([\w.$]+)", lines[0])
                if name is not None and re.match(r"(?:public|protected) ", lines[0]):
                    found[name[1]] = lines
                lines = []
    return found


def render(
    name: str, classes: dict[str, list[str]], children: dict[str, list[str]], depth: int = 0
) -> list[str]:
    """A class as Java source without bodies, its nested classes inside."""
    package = name[: name.rindex(".")]
    header, simple, indent = classes[name][0], re.split(r"[.$]", name)[-1], " " * depth
    members = [line.strip() for line in classes[name][1:-1]]
    is_enum = re.search(rf" extends java\.lang\.Enum<{re.escape(name)}>", header) is not None
    is_interface = " interface " in header
    header = header.removesuffix(" {").replace(name, simple, 1)
    if is_enum:
        header = header.replace("class ", "enum ", 1)
        header = re.sub(r" extends java\.lang\.Enum<[^>]*>", "", header).replace("abstract ", "")
    out = [indent + shorten(_DROPPED.sub("", header), package) + " {"]
    if is_enum:
        constant = re.compile(rf"public static final {re.escape(name)} (\w+);")
        constants = [match[1] for line in members if (match := constant.fullmatch(line))]
        out.append(f"{indent} {', '.join(constants)};")
        members = [line for line in members if not constant.fullmatch(line)]
    for line in members:
        if line not in ("static {};",) and "(" in line:
            out.append(f"{indent} {method(line, name, simple, package, is_interface)}")
        elif "(" not in line and "{" not in line:
            out.append(f"{indent} {shorten(_DROPPED.sub('', line), package)}")
    for child in children[name]:
        out.extend(render(child, classes, children, depth + 1))
    out.append(indent + "}")
    return out


def method(line: str, name: str, simple: str, package: str, is_interface: bool) -> str:
    """One method or constructor."""
    line = _DROPPED.sub("", _THROWS.sub("", line))
    if is_interface:
        line = line.replace("abstract ", "")
    line = _PARAMETERS.sub(lambda match: f"({_named(match[1])})", line)
    if line.split("(")[0].split()[-1] == name:
        return shorten(line.replace(name + "(", simple + "(").replace(";", " {}"), package)
    return shorten(line, package)


def _named(parameters: str) -> str:
    """Parameters as ``javap`` writes them, with the names that Java wants."""
    named: list[str] = []
    depth, part = 0, ""
    for char in parameters + ",":
        depth += (char == "<") - (char == ">")
        if char == "," and not depth:
            if part.strip():
                named.append(f"{part.strip()} {chr(ord('a') + len(named))}")
            part = ""
        else:
            part += char
    return ", ".join(named)


def shorten(text: str, package: str) -> str:
    """Leaves out the packages that need no import."""
    text = re.sub(rf"\b{re.escape(package)}\.(?=[A-Z])", "", text)
    text = re.sub(r"\bjava\.lang\.(?=[A-Z])", "", text)
    return text.replace("$", ".").replace(", ", ",").replace(" extends Object>", ">")


def main() -> None:
    """Writes one file a package beside this module."""
    classes = disassemble(class_names())
    children: dict[str, list[str]] = defaultdict(list)
    tops: dict[str, list[str]] = defaultdict(list)
    for name in sorted(classes):
        outer = name.rpartition("$")[0]
        if not outer:
            tops[name[: name.rindex(".")]].append(name)
        elif outer in classes:
            children[outer].append(name)
    folder = Path(__file__).parent
    for package, names in sorted(tops.items()):
        blocks = ["\n".join(render(name, classes, children)) for name in names]
        (folder / f"{package}.txt").write_text("\n\n".join(blocks) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
