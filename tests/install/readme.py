#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""readme.py BUILD: the programs in README.md, the first one and that of its
section on tenants, build by the commands that stand there, and print what it
says there."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
SKIPPED = 77


def block(text, language):
    """(text inside, text after) the first fenced block of a language."""
    found = re.search(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
    if not found:
        sys.exit(f"README.md: no block of ```{language} where one should be")
    return found[1], text[found.end():]


def tenants_program(text):
    """(program, commands, output) of the section on tenants, whose program is in
    two parts."""
    text = text.partition("\n## Tenants\n")[2]
    model, text = block(text, "c")
    rest, text = block(text, "c")
    commands, text = block(text, "sh")
    return model + "\n" + rest, commands, block(text, "text")[0]


def run(commands, folder, environment):
    """What commands print; only that on success, and no warnings."""
    done = subprocess.run(["sh", "-e", "-c", commands], cwd=folder,
                          env=environment, capture_output=True, text=True,
                          check=False)
    if done.returncode != 0 or done.stderr:
        sys.exit(f"{commands}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def check(expected, printed):
    if printed != expected:
        sys.exit(f"README.md says\n{expected}\nbut the program prints\n"
                 f"{printed}")


def main():
    readme = ROOT / "README.md"
    if not readme.exists():
        print("skipped: there is no README.md")
        sys.exit(SKIPPED)
    text = readme.read_text()
    program, rest = block(text, "c")
    expected, rest = block(rest, "text")
    commands, _ = block(rest, "sh")
    # The first command is for the checkout, the others for where app.c is.
    install, others = commands.split("\n", 1)
    if not install.startswith("make install PREFIX="):
        sys.exit("README.md: the program's commands begin with " + install)

    users, build_users, expected_users = tenants_program(text)

    with tempfile.TemporaryDirectory() as home:
        environment = {"HOME": home, "PATH": os.environ["PATH"],
                       "BUILD": sys.argv[1]}
        pathlib.Path(home, "app.c").write_text(program)
        pathlib.Path(home, "users.c").write_text(users)
        run(install, ROOT, environment)
        check(expected, run(others, home, environment))
        # "as above"
        environment["PKG_CONFIG_PATH"] = f"{home}/ctxvar/lib/pkgconfig"
        check(expected_users, run(build_users, home, environment))


if __name__ == "__main__":
    main()
