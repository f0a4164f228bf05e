"""The figures as Markdown tables, with what they shall be. `figures`: size -> northd -> what run.py found."""

from measure import PHASES

MOST_GROWTH = 2  # Of a change's CPU from a tenth to full size,
NOISE_MS = 0.3   # beyond what a clock tells.


def _print(header, rows):
    print("| " + " | ".join(header) + " |")
    print("|---|" + (len(header) - 2) * "---:|" + "---|")
    for row in rows:
        print("| " + " | ".join(row) + " |")
    print(flush=True)


def _figure(value, unit=""):
    if value is None:
        return "-"
    text = f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.3g}"
    return f"{text} {unit}".strip()


def _met(checks):
    """`checks`: those that could be made."""
    return "" if not checks else "yes" if all(checks) else "NO"


def print_phases(figures):
    rows = []
    for size, northds in figures.items():
        for phase in PHASES:
            ours, stock = (northds.get(name, {}).get("phases", {}).get(phase.key) for name in ("ours", "reference"))
            known = ours is not None and stock is not None
            checks = []
            if phase.ratio is not None and known:
                checks.append(ours <= phase.ratio * stock)
            if phase.limit is not None and ours is not None:
                checks.append(ours <= phase.limit)
            target = _figure(phase.limit, phase.unit) if phase.limit is not None else f"{phase.ratio:.2g}" if phase.ratio else ""
            rows.append([f"{phase.title} ({size})", _figure(ours, phase.unit), _figure(stock, phase.unit),
                         f"{ours / stock:.3f}" if known and stock else "-", target, _met(checks)])
    _print(["", "Boreas", "stock", "ratio", "target", "met"], rows)


def print_changes(figures):
    """CPU and rows at full size (or the only one that was run), and how the former grows to there."""
    sizes = list(figures)
    rows = []
    by_size = [figures[size] for size in sizes]
    any_northd = next(iter(by_size[-1].values()), None)
    for kind, steps in (any_northd or {"changes": {}})["changes"].items():
        for i, step in enumerate(steps):
            def of(size, northd, kind=kind, i=i):
                found = size.get(northd)
                return found["changes"][kind][i] if found else None
            rows.append(_change_row(kind, step, of(by_size[-1], "ours"), of(by_size[-1], "reference"),
                                    of(by_size[0], "ours") if len(sizes) > 1 else None))
    if rows:
        _print([f"change ({sizes[-1]})", "Boreas", "stock", "ratio", "limit", "a tenth", "growth", "rows", "stock's", "met"], rows)


def _change_row(kind, step, ours, stock, tenth):
    checks = []
    if ours and step["limit_ms"] is not None:
        checks.append(ours["cpu_ms"] <= step["limit_ms"])
    if ours and stock:
        checks += [ours["cpu_ms"] <= stock["cpu_ms"], ours["rows"] <= stock["rows"]]
    if ours and tenth and step["limit_ms"] == 3:
        checks.append(ours["cpu_ms"] <= MOST_GROWTH * tenth["cpu_ms"] + NOISE_MS)

    def ms(of):
        return _figure(of and of["cpu_ms"], "ms")

    return [f"{kind}: {step['title']}", ms(ours), ms(stock),
            f"{ours['cpu_ms'] / stock['cpu_ms']:.3f}" if ours and stock else "-", _figure(step["limit_ms"], "ms"), ms(tenth),
            f"{ours['cpu_ms'] / tenth['cpu_ms']:.1f}" if ours and tenth else "-",
            _figure(ours and ours["rows"]), _figure(stock and stock["rows"]), _met(checks)]
