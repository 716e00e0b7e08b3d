# SPDX-License-Identifier: MIT
"""The results as a picture: bars on a logarithmic scale, in SVG.

The background is whatever the page has; the colours do on a light and on a
dark one, and the text does better where the viewer says which it is.
"""

import math
from html import escape

from table import number

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

LEGEND = [("ours", "ctxvar"), ("call", "ctxvar, by call"),
          ("raw", "plain thread-local"), ("peer", "peers")]


def _kind(label, ours):
    if label == ours:
        return "ours"
    if label == f"{ours}, by call":
        return "call"
    return "raw" if label.startswith("_Thread_local") else "peer"


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


def _bar(scale, y, label, median, goal, kind):
    end = max(scale.x(median), LEFT + 2)
    parts = [_text(LEFT - 8, y + 10.5, label, "name"),
             _box(kind, LEFT, y, end - LEFT)]
    if goal is not None:
        parts.append(_line("goal", scale.x(goal), y - 1.5, y + BAR + 1.5))
        end = max(end, scale.x(goal))
    parts.append(_text(end + 6, y + 10.5, number(median)))
    return parts


def _operation(scale, y, result, ours):
    parts = [_text(LEFT, y + 14, result["title"], "operation")]
    y += HEAD
    for label, found in result["by"].items():
        parts += _bar(scale, y, label, found["median"],
                      result["goals"].get(label), _kind(label, ours))
        y += BAR + GAP
    return parts, y + SPACE


def _head():
    parts = [_text(LEFT, 26, "Nanoseconds, less is better", "title")]
    x = LEFT
    for kind, text in LEGEND:
        parts += [_box(kind, x, 40, 13), _text(x + 18, 51, text)]
        x += 40 + 6.4 * len(text)
    parts += [_line("goal", x + 3, 39, 54), _text(x + 12, 51, "goal")]
    return parts


def _axis(scale, bottom):
    parts = []
    for ns in scale.decades():
        parts += [_line("grid", scale.x(ns), TOP - 6, bottom),
                  _text(scale.x(ns), TOP - 12, f"{ns:,g}", "tick"),
                  _text(scale.x(ns), bottom + 14, f"{ns:,g}", "tick")]
    return parts


def _foot(results, y):
    return _text(LEFT, y, f"{results['machine']['cpu']}, one CPU, medians of "
                 f"{results['rounds']} processes each")


def draw(results, ours):
    """The whole picture, as text."""
    plotted = [result for result in results["operations"]
               if result["plotted"]]
    scale = _Scale([found["median"] for result in plotted
                    for found in result["by"].values()] or [1, 10])
    bars, y = [], TOP
    for result in plotted:
        parts, y = _operation(scale, y, result, ours)
        bars += parts
    height = y + BOTTOM
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" '
        f'height="{height}" viewBox="0 0 {WIDTH} {height}">',
        f"<style>{STYLE}</style>", *_head(), *_axis(scale, y - SPACE), *bars,
        _foot(results, height - 14), "</svg>", ""])
