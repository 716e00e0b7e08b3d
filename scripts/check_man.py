# SPDX-License-Identifier: MIT
"""check_man.py FOLDER: check that groff has no warning for any manual page,
those generated into FOLDER and those in docs/, that whatis reads it, that no
request of roff's is shown as text, that all that a header begins with is on its
page, and that the others lead there."""
import pathlib
import re
import shutil
import subprocess
import sys

import headers
import man


def is_another(page):
    """Does it only source the page that has its name, too?"""
    return page.read_text().startswith(".so ")


def complaints(page, folder):
    """What groff says of a page, including what it sources."""
    groff = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", "-s", page],
        cwd=folder, capture_output=True, text=True, check=False)
    text = groff.stderr
    if shutil.which("lexgrog") and not is_another(page):
        lexgrog = subprocess.run(["lexgrog", page], capture_output=True,
                                 text=True, check=False)
        if lexgrog.returncode != 0:
            text += lexgrog.stdout
    return text


def shown(page, folder):
    """The lines of a page, as wide as they like."""
    groff = subprocess.run(
        ["groff", "-man", "-Tascii", "-P-cbou", "-rHY=0", "-rLL=1000n", page],
        cwd=folder, capture_output=True, text=True, check=True)
    return [" ".join(line.split()) for line in groff.stdout.splitlines()]


# A change of font, a word that is not to be broken, a character by its name.
ROFF = re.compile(r"\\(?:f[BIRP]|%|&|\()")


def raw(page, folder):
    """What a page shows that is roff's and no text."""
    for line in shown(page, folder):
        if ROFF.search(line):
            yield f"{page.name}: shows: {line}\n"


def left_out(lines, opening):
    """The first words of a comment that a page lacks; examples and tables are
    lines of it, of all else only the order of the words counts."""
    words = iter(" ".join(lines).split())
    for paragraph in man.split(opening):
        for line in paragraph:
            if man.is_as_it_is(paragraph) and " ".join(line.split()) not in lines:
                return line
            for word in line.removeprefix("- ").split():
                if word not in words:
                    return line
    return None


def lost(folder):
    """What the headers' own pages lack, and the pages that do not lead there."""
    for path in headers.public_headers():
        name = f"ctxvar_{path.stem}"
        page = folder / "man7" / f"{name}.7"
        if not page.exists():
            yield f"there is no {page.name}"
            continue
        line = left_out(shown(page, folder), headers.opening(path))
        if line:
            yield f"{page.name}: lacks: {line}"
        for each in headers.declarations(path):
            page = folder / "man3" / f"{each.name}.3"
            text = page.read_text() if each.comment else ""
            if text and not text.startswith(".so ") and \
                    f".BR {name} (7)" not in text:
                yield f"{page.name}: does not lead to {name}"


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    pages = sorted(folder.glob("man*/*.[1-9]"))
    pages += sorted((headers.ROOT / "docs").glob("*.[1-9]"))
    if not pages:
        sys.exit("no manual pages in " + sys.argv[1])
    text = "".join(complaints(page, folder) for page in pages)
    text += "".join(line for page in pages if not is_another(page)
                    for line in raw(page, folder))
    text += "".join(line + "\n" for line in lost(folder))
    print(text, end="")
    sys.exit(1 if text else 0)


if __name__ == "__main__":
    main()
