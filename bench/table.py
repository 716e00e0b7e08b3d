# SPDX-License-Identifier: MIT
"""The results as a table on the terminal."""

WIDTH = 78



def number(value):
    """Three digits are all that a measurement is good for."""
    if abs(value) >= 100 or value == 0:
        return f"{value:,.0f}"
    if abs(value) >= 10:
        return f"{value:.1f}"
    return f"{value:.2f}" if abs(value) >= 0.1 else f"{value:.3f}"


def amount(value, unit):
    """With its unit, but for nanoseconds, which nearly all are."""
    return number(value) if unit in ("ns", "") else f"{number(value)} {unit}"


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
    return f"<= {goal:.4g}  {'yes' if median <= goal else 'NO'}"


def _rows(result, ours):
    """One line for each participant, ours first."""
    medians = {label: found["median"] for label, found in result["by"].items()}
    calls = medians.get(f"{ours}, by call")
    for label, median in medians.items():
        goal = result["goals"].get(label)
        name = f"{ours}, inline" if label == ours and calls else label
        yield (name, amount(median, result["unit"]),
               ratio(median, medians.get(ours)) if label != ours else "",
               ratio(median, calls) if not label.startswith(ours) else "",
               _verdict(median, goal))


def show(results, ours):
    """Print it all."""
    by_call = any(f"{ours}, by call" in result["by"]
                  for result in results["operations"])
    columns = ("x inline", "x call") if by_call else (f"x {ours}", "")
    print(f"{'':26}{'ns':>10}{columns[0]:>12}{columns[1]:>11}   goal, met")
    print("-" * WIDTH)
    for result in results["operations"]:
        print(result["title"])
        for name, value, inline, call, verdict in _rows(result, ours):
            print(f"  {name:24}{value:>10}{inline:>12}{call:>11}   {verdict}"
                  .rstrip())
    print("-" * WIDTH)
    print(f"{results['machine']['cpu']}, medians of {results['rounds']} "
          "processes each")
    print(", ".join(f"{label} {version}"
                    for label, version in results["versions"].items()))
    for skipped in results["skipped"]:
        print(f"skipped: {skipped['label']}, {skipped['reason']}")
