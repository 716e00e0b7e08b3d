# SPDX-License-Identifier: MIT
"""Check that a folder under src/ includes only layers below it, and that
conditionals on a compiler, platform or sanitizer are in their one place."""
import pathlib
import re
import sys

import headers

# Lowest first. A layer may include itself and what stands before it.
LAYERS = ("core", "task", "sql")
# Headers for all layers, which include none of them.
PLATFORM = "platform"
# The lowest layer that may use an outside library.
OUTSIDE = {"uv.h": "task", "sqlite3.h": "sql", "libpq-fe.h": "sql"}
# What a conditional may ask outside of src/platform/, besides its own guard.
CONDITIONS = {"NDEBUG"}
CONDITIONS_OF = {"detail.h": {"CX_MIGRATING"}}
# Which language reads it, a public header may ask.
CONDITIONS_OF_PUBLIC = {"__cplusplus"}

SRC = headers.ROOT / "src"
PUBLIC = headers.ROOT / "include" / "ctxvar"


def rank(layer):
    return -1 if layer == PLATFORM else LAYERS.index(layer)


def includes(path):
    """Yield (line number, included name, is it quoted)."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r'\s*#\s*include\s*(["<])([^">]+)', line)
        if found:
            yield number, found[2], found[1] == '"'


def layer_of_header(path):
    """The layer that defines the functions which a public header declares."""
    names = re.findall(r"\bCX__API\b[^;(]*?\b(cx_\w+)\(", path.read_text())
    for layer in LAYERS:
        for source in sorted((SRC / layer).glob("*.c")):
            text = source.read_text()
            for name in names:
                if re.search(rf"^\w[^;{{}}#]*\b{name}\([^;{{}}]*\)\s*\{{", text,
                             re.M):
                    return layer
    return None


def layer_of_include(path, name, quoted, public):
    """The layer that an include reaches into; None: outside of the project."""
    if quoted:
        for base in (path.parent, SRC, path.parent.parent):
            target = (base / name).resolve()
            if target.is_file() and SRC in target.parents:
                return target.relative_to(SRC).parts[0]
        return "?"
    if name.startswith("ctxvar/"):
        return public.get(name[len("ctxvar/"):])
    return OUTSIDE.get(name)


def check_includes(path, layer, public):
    for number, name, quoted in includes(path):
        target = layer_of_include(path, name, quoted, public)
        if target == "?":
            yield number, f'"{name}" is not found under src/'
        elif target and rank(target) > rank(layer):
            yield number, f"{layer} includes {name}, which belongs to {target}"


def check_conditions(path):
    allowed = CONDITIONS | CONDITIONS_OF.get(path.name, set())
    if path.parent == PUBLIC:
        allowed = allowed | CONDITIONS_OF_PUBLIC
    for number, line in enumerate(path.read_text().splitlines(), 1):
        found = re.match(r"\s*#\s*(?:el)?if(?:n?def)?\b(.*)", line)
        if not found:
            continue
        for word in re.findall(r"[A-Za-z_]\w*", found[1].split("/*")[0]):
            if word != "defined" and word not in allowed and \
                    not re.fullmatch(r"CTXVAR_\w+_H", word):
                yield number, f"a conditional on {word} outside src/platform/"


def problems():
    public = {path.name: layer_of_header(path)
              for path in headers.public_headers()}
    for layer in (PLATFORM,) + LAYERS:
        for path in sorted((SRC / layer).glob("*.[ch]")):
            for problem in check_includes(path, layer, public):
                yield path, problem
            if layer != PLATFORM:
                for problem in check_conditions(path):
                    yield path, problem
    for path in sorted(PUBLIC.glob("*.h")):
        # What declares no function, as detail.h, is for the lowest layer.
        layer = public.get(path.name) or LAYERS[0]
        for problem in check_includes(path, layer, public):
            yield path, problem
        if path.name != "platform.h":
            for problem in check_conditions(path):
                yield path, problem
    for folder in sorted(path.name for path in SRC.iterdir()):
        known = LAYERS + (PLATFORM, "CMakeLists.txt")
        if folder not in known:
            yield SRC / folder, (1, "a folder that is no layer we know of")


def main():
    count = 0
    for path, (line, text) in problems():
        print(f"{path.relative_to(headers.ROOT)}:{line}: {text}")
        count += 1
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
