"""Source bytes: declared encoding (PEP 263), and a same-length UTF-8 copy for the parser."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache

_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:[#\r\n]|$)")


def declared_encoding(source: bytes) -> tuple[str, str | None]:
    """The encoding by PEP 263: BOM, then cookie in line 1 or 2, then UTF-8.

    Returns:
        its name, and a message if the one that is declared is unknown: then the name is that of UTF-8.
    """
    if source.startswith(codecs.BOM_UTF8):
        return "utf-8", None
    lines = source.split(b"\n", 2)[:2]
    for line in lines:
        found = _COOKIE.match(line)
        if found:
            name = found.group(1).decode("ascii", "replace")
            try:
                return codecs.lookup(name).name, None
            except LookupError:
                return "utf-8", f"unknown encoding {name[:40]!r}"
        if not _BLANK.match(line):
            break
    return "utf-8", None


@lru_cache(maxsize=256)
def keeps_ascii(encoding: str) -> bool:
    """Whether the bytes of ASCII characters, and no others, say ASCII characters."""
    try:
        return all(bytes([c]).decode(encoding, "replace").isascii() == (c < 128) for c in range(256)) and (
            bytes(range(128)).decode(encoding) == "".join(map(chr, range(128)))
        )
    except (LookupError, ValueError, TypeError, AttributeError):
        return False


def parser_bytes(source: bytes, encoding: str) -> tuple[bytes, str | None]:
    """A copy of ``source`` that is valid UTF-8 and has every character at its original byte offset.

    Characters that are not ASCII become as many ``x`` as they have bytes when the file is not UTF-8.

    Returns:
        the bytes to parse, and a message if the text is not valid in its declared encoding.
    """
    if encoding == "utf-8":
        try:
            source.decode("utf-8")
        except UnicodeDecodeError as error:
            return _ascii_only(source), f"invalid UTF-8 at byte {error.start}"
        return source, None
    try:
        text = source.decode(encoding)
    except (UnicodeDecodeError, LookupError, AttributeError, TypeError, ValueError):
        return _ascii_only(source), f"text is not valid {encoding}"
    if not isinstance(text, str) or (text.isascii() and len(text) == len(source)):
        return _ascii_only(source), None
    try:
        copy = b"".join(c.encode() if c < "\x80" else b"x" * len(c.encode(encoding)) for c in text)
    except (UnicodeEncodeError, LookupError, TypeError, ValueError):
        copy = b""
    return (
        (copy, None) if len(copy) == len(source) else (_ascii_only(source), f"{encoding} is not byte-stable")
    )


_TOKEN = re.compile(
    rb"(?P<comment>#[^\r\n]*)|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<end>\r?\n|\r)"
    rb"|\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''"
    rb"|\"(?:[^\"\\\r\n]|\\.)*\"|'(?:[^'\\\r\n]|\\.)*'",
    re.DOTALL,
)


def join_lines(source: bytes) -> bytes:
    """The same code with comments and line ends in brackets blank, so that all lines in brackets are one.

    The parser takes some of these line ends for the end of a statement: ``(a.`` with ``b)`` further left in
    the next line.
    """
    result = bytearray(source)
    depth = 0
    for token in _TOKEN.finditer(source):
        if token.lastgroup == "open":
            depth += 1
        elif token.lastgroup == "close":
            depth = max(0, depth - 1)
        elif depth and token.lastgroup:
            result[token.start() : token.end()] = b" " * (token.end() - token.start())
    return bytes(result)


def _ascii_only(source: bytes) -> bytes:
    return re.sub(rb"[\x80-\xff]", b"x", source)


_ESCAPE = re.compile(r"\\(\r?\n|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_SIMPLE = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_SIMPLE |= {c: c for c in "\\'\""}


_QUOTES = ("'", '"')


def string_value(literal: str) -> str | None:
    """The value of a plain or raw string literal; None for bytes, f-strings and what is not a literal."""
    first = literal[:1]
    if first in _QUOTES and "\\" not in literal and "\r" not in literal and len(literal) > 1:
        width = 3 if literal.startswith(first * 3) and len(literal) >= 6 else 1
        return literal[width:-width] if len(literal) == 2 or literal[:3] != first * 3 or width == 3 else None
    quote = min((i for i in (literal.find("'"), literal.find('"')) if i >= 0), default=-1)
    prefix = literal[: max(quote, 0)].lower()
    if quote < 0 or prefix not in ("", "r", "u"):
        return None
    width = 3 if literal[quote : quote + 3] in ('"""', "'''") else 1
    if len(literal) < quote + 2 * width:
        return None
    body = literal[quote + width : len(literal) - width].replace("\r\n", "\n")
    return body if prefix == "r" or "\\" not in body else _ESCAPE.sub(_unescape, body)


def _unescape(match: re.Match[str]) -> str:
    code = match.group(1)
    if code in _SIMPLE:
        return _SIMPLE[code]
    if code[0] == "\n" or code[0] == "\r":
        return ""
    if code[0] in "xuU" and len(code) > 1:
        point = int(code[1:], 16)
        return chr(point) if point < 0x110000 else match.group(0)
    return chr(int(code, 8)) if code[0] in "01234567" else match.group(0)
