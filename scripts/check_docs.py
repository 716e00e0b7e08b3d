# SPDX-License-Identifier: MIT
"""Check that everything public is documented, in the one shape: an imperative
sentence, every parameter, what is returned, and the five aspects."""
import re
import sys

import headers
from man import ASPECTS, Comment

NOT_IMPERATIVE = {"the", "a", "an", "this", "it", "these", "that"}


def problems(declaration):
    if declaration.comment is None:
        # A constant says what it is by its name.
        if declaration.kind != "macro" or "(" in declaration.text:
            yield "no comment"
        return
    comment = Comment(declaration.comment)
    if not comment.body:
        yield "no first sentence"
        return
    if declaration.kind == "function":
        yield from function_problems(declaration, comment)
        wanted = ASPECTS
    elif declaration.kind == "macro":
        wanted = ("Source", "Since")
    else:
        wanted = ()
    for aspect in wanted:
        if not comment.aspects.get(aspect):
            yield f'no "{aspect}:"'


def function_problems(declaration, comment):
    text = " ".join(comment.body[0])
    word = re.match(r"\W*(\w*)", text)[1]
    third_person = word.endswith("s") and not word.endswith("ss")
    if word.lower() in NOT_IMPERATIVE or third_person or word != word.title():
        yield f'"{word} ..." is no imperative sentence'
    if not re.search(r"[.:](\s|$)", text):
        yield "the first sentence has no end"

    documented = [name for name, _ in comment.params]
    for name in declaration.parameters():
        if name not in documented:
            yield f"no @param {name}"
    for name in documented:
        if name not in declaration.parameters():
            yield f"@param {name}, but no such parameter"

    if declaration.returns_void() and comment.returned:
        yield "@return, but it returns nothing"
    if not declaration.returns_void() and not comment.returned:
        yield "no @return"


def main():
    count = 0
    for path in headers.public_headers():
        for declaration in headers.declarations(path):
            for problem in problems(declaration):
                print(f"include/ctxvar/{path.name}:{declaration.line}: "
                      f"{declaration.name}: {problem}")
                count += 1
    sys.exit(1 if count else 0)


if __name__ == "__main__":
    main()
