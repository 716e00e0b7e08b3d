# SPDX-License-Identifier: MIT
"""Read the public headers: what they declare, and what is said of it.

Not a C parser. It knows the shape that the headers are written in: a comment
of /** ... */ right above each declaration.
"""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent
PRIVATE = ("detail.h", "platform.h")


class Declaration:
    """A public name: what it is, how it is declared, its comment."""

    def __init__(self, kind, name, text, comment, header, line):
        self.kind = kind  # "function", "object", "macro" or "type"
        self.name = name
        self.text = text  # as in the header, a macro without its body
        self.comment = comment  # lines without the stars; None: there is none
        self.header = header
        self.line = line

    def parameters(self):
        """The names in the parameter list."""
        inside = _parenthesis(self.text, self.text.index(self.name + "("))
        parts = _split_commas(inside)
        return [_parameter_name(part) for part in parts if part != "void"]

    def returns_void(self):
        return re.match(r"void\s+cx_", self.text) is not None


def public_headers():
    paths = sorted((ROOT / "include" / "ctxvar").glob("*.h"))
    return [path for path in paths if path.name not in PRIVATE]


def opening(path):
    """The lines of the comment that a header begins with, after its licence:
    what all of it is about."""
    _, comment = re.findall(r"^/\*.*?\*/", path.read_text(), re.M | re.S)[:2]
    return "\n".join(_comment_lines("/*" + comment[1:])).strip().split("\n")


def declarations(path):
    """The public declarations of a header, in its order."""
    source = path.read_text()
    found = []
    for start, text, comment in _statements(source):
        kind, name, shown = _classify(text)
        if kind:
            line = source.count("\n", 0, start) + 1
            found.append(
                Declaration(kind, name, shown, comment, path.name, line))
    return found


def _statements(source):
    """Yield (offset, text, doc comment) of all at the outermost level."""
    comment = None
    at = 0
    while at < len(source):
        if source[at].isspace():
            at += 1
        elif source.startswith("/*", at):
            end = source.index("*/", at) + 2
            # A doc comment is one that a declaration follows directly.
            doc = source.startswith("/**", at) and source[end:end + 2] != "\n\n"
            comment = _comment_lines(source[at:end]) if doc else None
            at = end
        elif source[at] == "#":
            end = _directive_end(source, at)
            yield at, source[at:end], comment
            comment = None
            at = end
        else:
            end = _statement_end(source, at)
            yield at, source[at:end], comment
            comment = None
            at = end


def _directive_end(source, at):
    end = source.find("\n", at)
    while end > 0 and source[end - 1] == "\\":
        end = source.find("\n", end + 1)
    return len(source) if end < 0 else end


def _statement_end(source, at):
    """Past the ; or the } of a function, or the end of CX__BEGIN_DECLS."""
    bare = re.compile(r"CX__(BEGIN|END)_DECLS\n").match(source, at)
    if bare:
        return bare.end()
    depth = 0
    for end in range(at, len(source)):
        char = source[end]
        if char in "({":
            depth += 1
        elif char in ")}":
            depth -= 1
            body = char == "}" and depth == 0
            if body and not source[end + 1:].lstrip(" ")[:1].strip("\n"):
                return end + 1
        elif char == ";" and depth == 0:
            return end + 1
    return len(source)


def _comment_lines(comment):
    lines = comment[3:-2].strip("\n").split("\n")
    return [re.sub(r"^\s*\* ?", "", line).strip("\n").rstrip()
            for line in lines]


def _classify(text):
    """(kind, name, text to show); kind None for what is not public."""
    macro = re.match(r"#\s*define\s+((?:cx|CX)_(?!_)\w+)(\([^)]*\))?", text)
    if macro:
        return "macro", macro[1], macro[1] + (macro[2] or "")
    if text.startswith("#"):
        return None, None, None
    if "CX__API" in text or "CX__DATA" in text:
        shown = _without_attributes(text)
        function = re.search(r"\b(cx_(?!_)\w+)\(", shown)
        if function:
            return "function", function[1], shown
        thing = re.search(r"\b(cx_(?!_)\w+)(\[\w*\])?;$", shown)
        return ("object", thing[1], shown) if thing else (None, None, None)
    named = re.match(r"typedef\b.*\b(cx_(?!_)\w+)(\(.*\))?;$", text, re.S)
    tagged = re.match(r"(?:struct|union|enum)\s+(cx_(?!_)\w+)\s*\{", text)
    found = named or tagged
    if not found:
        return None, None, None
    return "type", found[1], re.sub(r"/\*\*<?", "/*", text)


def _without_attributes(text):
    """A prototype without CX__API and the like, its lines still aligned."""
    first, *rest = text.split("\n")
    bare = re.sub(r"\bCX__[A-Z_]+(\([^)]*\))?\s*", "", first)
    removed = len(first) - len(bare)
    lines = [bare]
    for line in rest:
        indent = len(line) - len(line.lstrip())
        line = line[min(removed, indent):]
        lines.append(re.sub(r"\s*\bCX__[A-Z_]+(\([^)]*\))?", "", line))
    return "\n".join(lines).strip()


def _parenthesis(text, at):
    """What is inside the parentheses that open after offset at."""
    begin = text.index("(", at)
    depth = 0
    for end in range(begin, len(text)):
        depth += {"(": 1, ")": -1}.get(text[end], 0)
        if depth == 0:
            return text[begin + 1:end]
    raise ValueError("unbalanced: " + text)


def _split_commas(text):
    parts, depth, begin = [], 0, 0
    for at, char in enumerate(text):
        depth += {"(": 1, ")": -1}.get(char, 0)
        if char == "," and depth == 0:
            parts.append(text[begin:at])
            begin = at + 1
    parts.append(text[begin:])
    return [" ".join(part.split()) for part in parts]


def _parameter_name(part):
    if part == "...":
        return part
    pointer = re.search(r"\(\s*\*\s*(\w+)", part)
    name = pointer or re.search(r"(\w+)(\[\w*\])*$", part)
    return name[1]
