# SPDX-License-Identifier: MIT
"""Write manual pages, section 3, from the comments in the public headers.

Names that docs/pages.list puts on one line share a page; all others get one
each. A name that shares another's page gets a file that sources it.
"""
import argparse
import pathlib
import re

import headers

ASPECTS = ("Suspends", "Threads", "Cost", "Source", "Since")


class Comment:
    """A doc comment taken apart."""

    def __init__(self, lines):
        self.body = []  # paragraphs: lists of lines
        self.params = []  # (name, text)
        self.returned = ""  # prose after @return
        self.codes = []  # (code, text) listed under @return
        self.aspects = {}  # "Cost": "O(1)."
        for paragraph in _paragraphs(lines):
            self._read(paragraph)

    def summary(self):
        """The first sentence, as whatis shows it."""
        text = " ".join(line.strip() for line in self.body[0])
        sentence = re.split(r"(?<=\.)\s", text + " ")[0].rstrip(".")
        return sentence[0].lower() + sentence[1:]

    def _read(self, paragraph):
        first = paragraph[0]
        if re.match(rf"({'|'.join(ASPECTS)}):", first):
            self._read_aspects(" ".join(paragraph))
        elif first.startswith("@"):
            for tag in _tags(paragraph):
                self._read_tag(tag)
        else:
            self.body.append(paragraph)

    def _read_aspects(self, text):
        parts = re.split(rf"\b({'|'.join(ASPECTS)}):", text)
        for name, value in zip(parts[1::2], parts[2::2]):
            self.aspects[name] = " ".join(value.split())

    def _read_tag(self, lines):
        param = re.match(r"@param\s+(\S+)\s+(.*)", lines[0])
        if param:
            text = [param[2]] + lines[1:]
            self.params.append((param[1], _join(text)))
            return
        prose = [re.sub(r"^@return\s+", "", lines[0])]
        for line in lines[1:]:
            code = re.match(r"\s+(-?E[A-Z]+)\s\s+(.*)", line)
            if code:
                self.codes.append([code[1], code[2]])
            elif self.codes:
                self.codes[-1][1] += " " + line.strip()
            else:
                prose.append(line)
        self.returned = _join(prose)


def _paragraphs(lines):
    block = []
    for line in lines + [""]:
        if line:
            block.append(line)
        elif block:
            yield block
            block = []


def _tags(paragraph):
    tag = []
    for line in paragraph:
        if line.startswith("@") and tag:
            yield tag
            tag = []
        tag.append(line)
    yield tag


def _join(lines):
    return " ".join(" ".join(lines).split())


def escape(text):
    """Text that roff prints as it is; a minus stays a minus."""
    text = text.replace("\\", "\\e")
    text = re.sub(r"(?<!\w)-(?=\w)", r"\\-", text)
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def prose(text):
    """Escaped, with names of the interface in bold."""
    name = r"\b((?:cx|CX)_\w+|pthread_\w+|E[A-Z]{3,})\b"
    return re.sub(name, r"\\fB\1\\fR", escape(text))


def code(text):
    return escape(text).replace("-", "\\-").replace("\\\\-", "\\-")


class Page:
    """One page: the declarations on it, and its text."""

    def __init__(self, declarations, summary, version):
        self.declarations = declarations
        self.comments = [Comment(each.comment) for each in declarations]
        self.name = declarations[0].name
        self.version = version
        self.summary = summary or self.comments[0].summary()
        self.lines = []

    def text(self, others):
        self.lines = [
            '.\\" From the comments in <ctxvar/%s>.'
            % self.declarations[0].header,
            '.TH %s 3 "" "ctxvar %s" "Context variables"'
            % (self.name.upper(), self.version)
        ]
        self._names()
        self._synopsis()
        self._section("DESCRIPTION", self._description)
        self._section("RETURN VALUE", self._returned)
        self._section("ATTRIBUTES", self._attributes)
        self._section("SOURCE", self._source)
        self._see_also(others)
        return "\n".join(self.lines) + "\n"

    def _put(self, *lines):
        self.lines.extend(lines)

    def _names(self):
        names = ", ".join(each.name for each in self.declarations)
        self._put(".SH NAME", f"{names} \\- {escape(self.summary)}")

    def _synopsis(self):
        self._put(".SH SYNOPSIS", ".nf")
        for header in dict.fromkeys(each.header for each in self.declarations):
            self._put(f".B #include <ctxvar/{header}>")
        for each in self.declarations:
            self._put(".PP")
            for line in each.text.split("\n"):
                self._put("\\fB" + code(line) + "\\fR" if line else "")
        self._put(".fi")

    def _section(self, title, write):
        """A section, in parts where several names have something to say."""
        parts = []
        for each, comment in zip(self.declarations, self.comments):
            kept, self.lines = self.lines, []
            write(comment)
            if self.lines:
                parts.append((each, self.lines))
            self.lines = kept
        if parts:
            self._put(f".SH {title}")
        for each, lines in parts:
            if len(self.declarations) > 1:
                call = "()" if "(" in each.text and each.kind != "type" else ""
                self._put(f".SS {each.name}{call}")
            self._put(*lines)

    def _description(self, comment):
        for at, paragraph in enumerate(comment.body):
            if all(line.startswith("    ") for line in paragraph):
                self._put(".PP", ".in +4n", ".nf")
                self._put(*[code(line[4:]) for line in paragraph])
                self._put(".fi", ".in")
            else:
                self._put(*([".PP"] if at else []), prose(_join(paragraph)))
        for name, text in comment.params:
            self._put(".TP", f".I {name}", prose(text))

    def _returned(self, comment):
        if comment.returned:
            # A sentence gets its capital; false and ctx keep their names.
            text = re.sub(r"^(the|an?|as)\b", lambda word: word[0].title(),
                          comment.returned)
            self._put(prose(text))
        for name, text in comment.codes:
            self._put(".TP", f".B {escape(name)}", prose(text))

    def _attributes(self, comment):
        for aspect in ("Suspends", "Threads", "Cost"):
            if aspect in comment.aspects:
                self._put(".TP", f".I {aspect}",
                          prose(comment.aspects[aspect]))

    def _source(self, comment):
        aspects = comment.aspects
        if "Source" in aspects:
            self._put(prose(aspects["Source"]))
            self._put(f"Since {aspects.get('Since', '')}.")

    def _see_also(self, others):
        names = [each.name for each in others
                 if each is not self and
                 each.declarations[0].header == self.declarations[0].header]
        links = [f".BR {name} (3)," for name in names] + [".BR ctxvar (7)"]
        self._put(".SH SEE ALSO", *links)


def read_groups(path):
    """The lines of pages.list: (names, summary or None)."""
    for line in path.read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            names, _, summary = line.partition(":")
            yield names.split(), summary.strip() or None


def make_pages(declarations, groups, version):
    by_name = {each.name: each for each in declarations}
    pages = []
    grouped = set()
    for names, summary in groups:
        missing = [name for name in names if name not in by_name]
        if missing:
            raise SystemExit(f"pages.list: not documented: {missing}")
        grouped.update(names)
        pages.append(Page([by_name[name] for name in names], summary, version))
    for each in declarations:
        if each.name not in grouped:
            pages.append(Page([each], None, version))
    return pages


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True)
    parser.add_argument("--groups", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("headers", nargs="+", type=pathlib.Path)
    args = parser.parse_args()

    declarations = [
        each for path in args.headers if path.name not in headers.PRIVATE
        for each in headers.declarations(path) if each.comment
    ]
    pages = make_pages(declarations, read_groups(args.groups), args.version)
    args.out.mkdir(parents=True, exist_ok=True)
    for old in args.out.glob("*.3"):
        old.unlink()
    for page in pages:
        (args.out / f"{page.name}.3").write_text(page.text(pages))
        for each in page.declarations[1:]:
            link = args.out / f"{each.name}.3"
            link.write_text(f".so man3/{page.name}.3\n")


if __name__ == "__main__":
    main()
