# SPDX-License-Identifier: MIT
"""check_man.py FOLDER: check that groff has no warning for any manual page,
those generated into FOLDER and those in docs/, and that whatis reads it."""
import pathlib
import shutil
import subprocess
import sys

import headers


def complaints(page, folder):
    """What groff says of a page, including what it sources."""
    groff = subprocess.run(
        ["groff", "-man", "-Tutf8", "-ww", "-z", "-s", page],
        cwd=folder, capture_output=True, text=True, check=False)
    text = groff.stderr
    if shutil.which("lexgrog") and not page.read_text().startswith(".so "):
        lexgrog = subprocess.run(["lexgrog", page], capture_output=True,
                                 text=True, check=False)
        if lexgrog.returncode != 0:
            text += lexgrog.stdout
    return text


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    pages = sorted(folder.glob("man*/*.[1-9]"))
    pages += sorted((headers.ROOT / "docs").glob("*.[1-9]"))
    if not pages:
        sys.exit("no manual pages in " + sys.argv[1])
    text = "".join(complaints(page, folder) for page in pages)
    print(text, end="")
    sys.exit(1 if text else 0)


if __name__ == "__main__":
    main()
