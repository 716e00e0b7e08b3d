# SPDX-License-Identifier: MIT
"""The results as a picture: bars on a logarithmic scale, in SVG.

The background is whatever the page has; the colours do on a light and on a
dark one, and the text does better where the viewer says which it is.
"""

import math
from html import escape

from table import amount

LEFT, RIGHT, WIDTH = 200, 70, 820
BAR, GAP, HEAD, SPACE = 13, 3, 24, 14
TOP, BOTTOM = 92, 52

STYLE = """
text { font: 12px system-ui, sans-serif; fill: #6b7280 }
.title { font-size: 17px; font-weight: 600 }
.operation { font-size: 13px; font-weight: 600 }
.name { text-anchor: end }
.tick { text-anchor: middle; font-size: 11px }
.grid { stroke: #8b93a1; stroke-opacity: .3 }
.ours { fill: #2f81f7 }
.call { fill: #79aef5 }
.raw { fill: #8b93a1 }
.peer { fill: #d29922 }
.goal { stroke: #e5484d; stroke-width: 2.5 }
@media (prefers-color-scheme: light) { text { fill: #374151 } }
@media (prefers-color-scheme: dark) { text { fill: #c4cbd5 } }
"""

NS = {"ns": 1, "us": 1e3, "s": 1e9}


def _kind(label, suite):
    if label == suite.ours:
        return "ours"
    if label == f"{suite.ours}, by call":
        return "call"
    return "raw" if label in suite.raw else "peer"


def _legend(suite, plotted):
    """The kinds that there are, and what they are called."""
    names = {"ours": suite.ours, "call": f"{suite.ours}, by call",
             "raw": suite.raw_title, "peer": "peers"}
    there = {_kind(label, suite) for result in plotted
             for label in result["by"]}
    return [(kind, name) for kind, name in names.items() if kind in there]


def _duration(ns):
    """A power of ten, in the unit that makes it shortest."""
    for unit, length in (("s", 1e9), ("ms", 1e6), ("\u00b5s", 1e3)):
        if ns >= length:
            return f"{ns / length:g} {unit}"
    return f"{ns:g} ns"


class _Scale:
    """Nanoseconds to pixels, over whole decades."""

    def __init__(self, values):
        self.low = math.floor(math.log10(max(min(values), 0.1)))
        self.high = math.ceil(math.log10(max(values)))

    def x(self, ns):
        at = (math.log10(max(ns, 10 ** self.low)) - self.low) / (
            self.high - self.low)
        return LEFT + at * (WIDTH - LEFT - RIGHT)

    def decades(self):
        return [10.0 ** power for power in range(self.low, self.high + 1)]


def _text(x, y, text, kind=""):
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{escape(text)}</text>'


def _box(kind, x, y, width):
    return (f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" '
            f'width="{width:.1f}" height="{BAR}" rx="2"/>')


def _line(kind, x, top, bottom):
    return (f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" '
            f'y1="{top:.1f}" y2="{bottom:.1f}"/>')


def _bar(scale, y, label, median, goal, unit, kind):
    end = max(scale.x(median * NS[unit]), LEFT + 2)
    parts = [_text(LEFT - 8, y + 10.5, label, "name"),
             _box(kind, LEFT, y, end - LEFT)]
    if goal is not None:
        at = scale.x(goal * NS[unit])
        parts.append(_line("goal", at, y - 1.5, y + BAR + 1.5))
        end = max(end, at)
    parts.append(_text(end + 6, y + 10.5, amount(median, unit)))
    return parts


def _operation(scale, y, result, suite):
    parts = [_text(LEFT, y + 14, result["title"], "operation")]
    y += HEAD
    for label, found in result["by"].items():
        parts += _bar(scale, y, label, found["median"],
                      result["goals"].get(label), result["unit"],
                      _kind(label, suite))
        y += BAR + GAP
    return parts, y + SPACE


def _head(suite, plotted):
    parts = [_text(LEFT, 26, suite.title, "title")]
    x = LEFT
    for kind, text in _legend(suite, plotted):
        parts += [_box(kind, x, 40, 13), _text(x + 18, 51, text)]
        x += 40 + 6.4 * len(text)
    parts += [_line("goal", x + 3, 39, 54), _text(x + 12, 51, "goal")]
    return parts


def _axis(scale, bottom):
    parts = []
    for ns in scale.decades():
        parts += [_line("grid", scale.x(ns), TOP - 6, bottom),
                  _text(scale.x(ns), TOP - 12, _duration(ns), "tick"),
                  _text(scale.x(ns), bottom + 14, _duration(ns), "tick")]
    return parts


def _foot(results, y):
    return _text(LEFT, y, f"{results['machine']['cpu']}, one CPU, medians of "
                 f"{results['rounds']} processes each")


def draw(suite, results):
    """The whole picture, as text."""
    plotted = [result for result in results["operations"]
               if result["plotted"]]
    scale = _Scale([found["median"] * NS[result["unit"]] for result in plotted
                    for found in result["by"].values()] or [1, 10])
    bars, y = [], TOP
    for result in plotted:
        parts, y = _operation(scale, y, result, suite)
        bars += parts
    height = y + BOTTOM
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
        f'height="{height}" viewBox="0 0 {WIDTH} {height}">',
        f"<style>{STYLE}</style>", *_head(suite, plotted),
        *_axis(scale, y - SPACE), *bars, _foot(results, height - 14), "</svg>",
        ""])
