# SPDX-License-Identifier: MIT
"""The results as a table on the terminal."""

WIDTH = 78


def number(ns):
    """Three digits are all that a measurement is good for."""
    if abs(ns) >= 100:
        return f"{ns:,.0f}"
    return f"{ns:.1f}" if abs(ns) >= 10 else f"{ns:.2f}"


def ratio(theirs, ours):
    """How many times as long as ours; nothing to compare with below 0."""
    if ours is None or ours <= 0 or theirs <= 0:
        return ""
    times = theirs / ours
    digits = 0 if times >= 10 else 1 if times >= 1 else 2
    return f"{times:,.{digits}f} x"


def _verdict(median, goal):
    if goal is None:
        return ""
    return f"<= {goal:g}  {'yes' if median <= goal else 'NO'}"


def _rows(result, ours):
    """One line for each participant, ours first."""
    medians = {label: found["median"] for label, found in result["by"].items()}
    calls = medians.get(f"{ours}, by call")
    for label, median in medians.items():
        goal = result["goals"].get(label)
        name = f"{ours}, inline" if label == ours and calls else label
        yield (name, number(median),
               ratio(median, medians.get(ours)) if label != ours else "",
               ratio(median, calls) if not label.startswith(ours) else "",
               _verdict(median, goal))


def show(results, ours):
    """Print it all."""
    print(f"{'':26}{'ns':>9}{'x inline':>12}{'x call':>12}   goal, met")
    print("-" * WIDTH)
    for result in results["operations"]:
        print(result["title"])
        for name, ns, inline, call, verdict in _rows(result, ours):
            print(f"  {name:24}{ns:>9}{inline:>12}{call:>12}   {verdict}"
                  .rstrip())
    print("-" * WIDTH)
    print(f"{results['machine']['cpu']}, medians of {results['rounds']} "
          "processes each")
    print(", ".join(f"{label} {version}"
                    for label, version in results["versions"].items()))
    for label, reason in results["skipped"].items():
        print(f"skipped: {label}, {reason}")
