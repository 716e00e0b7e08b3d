# SPDX-License-Identifier: MIT
"""Write manual pages from the comments in the public headers: section 3 from
those above declarations, and section 7 from those that headers begin with,
ctxvar_model(7) from <ctxvar/model.h>.

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
        for paragraph in split(lines):
            self._read(paragraph)

    def summary(self):
        """The first sentence, as whatis shows it."""
        return first_sentence(self.body[0])

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


def split(lines):
    """The paragraphs of a comment: lists of lines."""
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


def first_sentence(lines):
    """As whatis shows it."""
    sentence = re.split(r"(?<=\.)\s", _join(lines) + " ")[0].rstrip(".")
    return sentence[0].lower() + sentence[1:]


def escape(text):
    """Text that roff prints as it is; a minus stays a minus."""
    text = text.replace("\\", "\\e")
    text = re.sub(r"(?<!\w)-(?=\w)", r"\\-", text)
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


# Which errors are meant, a header's own page tells.
ERRORS_OF = {"any call": "database", "models": "model"}


def prose(text):
    """Escaped, with names of the interface in bold."""
    name = r"\b((?:cx|CX)_\w+|pthread_\w+|E[A-Z]{3,})\b"
    text = re.sub(name, r"\\fB\1\\fR", escape(text))
    return re.sub(rf"\berrors? of ({'|'.join(ERRORS_OF)})",
                  lambda found: rf"{found[0]} (\fB\%"
                  rf"{overview_name(ERRORS_OF[found[1]])}\fR(7))", text)


def code(text):
    return escape(text).replace("-", "\\-").replace("\\\\-", "\\-")


def overview_name(stem):
    return f"ctxvar_{stem}"


def is_as_it_is(paragraph):
    """An example or a table."""
    return all(line.startswith("    ") for line in paragraph)


def paragraphs(body):
    """What a comment says, in the blocks that it says it in: text; examples
    and tables, four spaces in, as they are; lists of errors and of dashes."""
    lines = []
    for paragraph in body:
        if is_as_it_is(paragraph):
            lines += [".PP", ".in +4n", ".nf",
                      *[code(line[4:]) for line in paragraph], ".fi", ".in"]
        elif ERROR.match(paragraph[0]):
            lines += _errors(paragraph)
        elif paragraph[0].startswith("- "):
            for item in "\n".join(paragraph)[2:].split("\n- "):
                lines += [".IP \\(bu 2", prose(_join(item.split("\n")))]
        else:
            lines += [".PP", prose(_join(paragraph))]
    return lines[1:] if lines[:1] == [".PP"] else lines


ERROR = re.compile(r"\s+(-E[A-Z]+)\s\s*(.*)")


def _errors(paragraph):
    """A list of errors; what is no further in than they are is none."""
    indent = len(paragraph[0]) - len(paragraph[0].lstrip())
    lines = []
    for line in paragraph:
        error = ERROR.match(line)
        if error and line[indent] == "-":
            lines += [".TP", f".B {escape(error[1])}", prose(error[2])]
        elif line[indent] != " ":
            lines += [".PP", prose(line.strip())]
        else:
            lines.append(prose(line.strip()))
    return lines


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

    def files(self, others):
        """Its own, and those of the other names on it."""
        yield f"{self.name}.3", self.text(others)
        for each in self.declarations[1:]:
            yield f"{each.name}.3", f".so man3/{self.name}.3\n"

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
        self._put(*paragraphs(comment.body))
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
        stem = pathlib.Path(self.declarations[0].header).stem
        self._put(".SH SEE ALSO", f".BR {overview_name(stem)} (7),",
                  *[f".BR {name} (3)," for name in names], ".BR ctxvar (7)")


def overview(path, pages, version):
    """The page of a header: what it begins with, and what is in it."""
    body = list(split(headers.opening(path)))
    name = overview_name(path.stem)
    names = [page.name for page in pages
             if page.declarations[0].header == path.name]
    return "\n".join([
        f'.\\" From the comment that <ctxvar/{path.name}> begins with.',
        f'.TH {name.upper()} 7 "" "ctxvar {version}" "Context variables"',
        ".SH NAME", f"{name} \\- {escape(first_sentence(body[0]))}",
        ".SH SYNOPSIS", f".B #include <ctxvar/{path.name}>",
        ".SH DESCRIPTION", *paragraphs(body),
        ".SH SEE ALSO", *[f".BR {each} (3)," for each in names],
        ".BR ctxvar (7)"]) + "\n"


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


def write(folder, files):
    folder.mkdir(parents=True, exist_ok=True)
    for old in folder.glob("*.[37]"):
        old.unlink()
    for name, text in files.items():
        (folder / name).write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--version", required=True)
    parser.add_argument("--groups", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("headers", nargs="+", type=pathlib.Path)
    args = parser.parse_args()

    public = [path for path in args.headers
              if path.name not in headers.PRIVATE]
    declarations = [each for path in public
                    for each in headers.declarations(path) if each.comment]
    pages = make_pages(declarations, read_groups(args.groups), args.version)
    write(args.out / "man3", {
        name: text for page in pages for name, text in page.files(pages)})
    write(args.out / "man7", {
        f"{overview_name(path.stem)}.7": overview(path, pages, args.version)
        for path in public})


if __name__ == "__main__":
    main()
