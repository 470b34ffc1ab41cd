"""Plots as SVG text, for reports and benches: lines, dots, bands and levels over two axes.

What is drawn is coloured by classes: style() has their colours, by day and by night.
"""

import html
import math
import re

# What is read keeps a contrast of 4.5 to its ground, what is drawn one of 3 (WCAG 2.1, 1.4.3 and 1.4.11).
PALETTES = {
    "light": {"ground": "#ffffff", "ink": "#1f2937", "soft": "#4b5563", "grid": "#e5e7eb", "shade": "#f1f5f9",
              "good": "#166534", "bad": "#b91c1c",
              "c0": "#1d5fa8", "c1": "#b9480e", "c2": "#3a7a1c", "c3": "#7c3aed", "c4": "#4b5563"},
    "dark": {"ground": "#14181f", "ink": "#e5e7eb", "soft": "#a8b0bd", "grid": "#2b323d", "shade": "#1c222c",
             "good": "#86d39a", "bad": "#fca5a5",
             "c0": "#7ab8f5", "c1": "#f59e6b", "c2": "#8fd16a", "c3": "#c4a7ff", "c4": "#a8b0bd"},
}
SERIES = 5
FONT = 12.5  # px
LETTER = 0.6 * FONT  # how wide one is, about
ROW = 17
SAMPLE = 26  # of a series, in a legend


def style():
    """CSS for a page or an SVG with plots in it."""
    def palette(name):
        return " ".join(f"--{key}: {value};" for key, value in PALETTES[name].items())
    series = " ".join(f".c{i} {{ stroke: var(--c{i}); fill: var(--c{i}) }}" for i in range(SERIES))
    return (f":root {{ color-scheme: light dark; {palette('light')} }}\n"
            f"@media (prefers-color-scheme: dark) {{ :root {{ {palette('dark')} }} }}\n"
            f".plot text {{ font: {FONT}px system-ui, sans-serif; fill: var(--ink) }}\n"
            ".plot .title { font-weight: 600; font-size: 14px } .plot .soft { fill: var(--soft) }\n"
            ".plot .ground { fill: var(--ground) } .plot .shade { fill: var(--shade) }\n"
            ".plot .grid { stroke: var(--grid) } .plot .axis { stroke: var(--soft) }\n"
            f"{series}\n"
            ".plot .line { fill: none; stroke-width: 1.8 } .plot .dashed { stroke-dasharray: 6 4 }\n"
            ".plot .dot { stroke: none } .plot .faint { fill-opacity: 0.45 }\n"
            ".plot .band { stroke: none; fill-opacity: 0.28 }\n")


def ticks(low, high, count=5):
    """Round numbers from at most low to at least high."""
    step = 10 ** math.floor(math.log10(max(high - low, 1e-9) / count))
    step = next(step * k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= count)
    first = math.floor(low / step + 1e-9)
    return [i * step for i in range(first, max(math.ceil(high / step - 1e-9), first + 1) + 1)]


def number(value):
    """A figure as people read it."""
    if value == int(value) and abs(value) < 1e15:
        return f"{int(value):,}"
    size = abs(value)
    return f"{value:,.{0 if size >= 1000 else 1 if size >= 10 else 2 if size >= 1 else 3}f}"


class Plot:
    """One plot. Series are added, then svg() is asked for."""

    def __init__(self, title, x_label, y_label, width=440, height=270, log=False, x_ticks=None):
        """log: of the y axis. x_ticks: all there are; the x axis is then logarithmic."""
        self.title, self.x_label, self.y_label = title, x_label, y_label
        self.width, self.height, self.log, self.x_ticks = width, height, log, x_ticks
        self.series, self.phases = [], []

    def _add(self, kind, points, label, look="", colour=None):
        colour = len(self.series) % SERIES if colour is None else colour
        self.series.append((kind, [p for p in points if None not in p], label, look, f"c{colour}"))

    def line(self, points, label=None, dashed=False, dots=False, colour=None):
        self._add("line", points, label, ("dashed " if dashed else "") + ("dots" if dots else ""), colour)

    def dots(self, points, label=None):
        self._add("dots", points, label)

    def band(self, points, label=None):
        """points: (x, low, high)."""
        self._add("band", points, label)

    def level(self, y, label):
        self._add("level", [(y,)], f"{label} {number(y)}")

    def void(self, xs, label, colour=None):
        """Crosses on the x axis, for what proves nothing."""
        self._add("void", [(x,) for x in xs], label, colour=colour)

    def phase(self, begin, end, label):
        """What was going on meanwhile; every other one is shaded."""
        self.phases.append((begin, end, label))

    def _x_values(self):
        return ([p[0] for kind, points, *_ in self.series if kind != "level" for p in points]
                + [x for phase in self.phases for x in phase[:2]]) or [0, 1]

    def _y_values(self):
        return [y for kind, points, *_ in self.series if kind != "void"
                for p in points for y in (p if kind == "level" else p[1:])] or [1]

    def _scales(self, wide):
        xs, ys = self._x_values(), self._y_values()
        across = self.x_ticks or ticks(min(xs), max(max(xs), min(xs) + 1), max(2, int(wide // 60)))
        if self.log:
            lowest = min((y for y in ys if y > 0), default=1)
            up = [10.0 ** e for e in range(math.floor(math.log10(lowest)),
                                           math.ceil(math.log10(max(max(ys), lowest * 2))) + 1)]
        else:
            up = ticks(0, max(ys) if max(ys) > 0 else 1)
        return across, up

    def _legend(self, left, right):
        """Where the sample of each series stands, and in which row; how many rows."""
        places, at, row = {}, left, 0
        for i, (_, _, label, _, _) in enumerate(self.series):
            if not label:
                continue
            wide = SAMPLE + 4 + LETTER * len(label)
            if at + wide > right and at > left:
                at, row = left, row + 1
            places[i] = (at, row)
            at += wide + 12
        return places, row + 1 if places else 0

    def _description(self):
        xs = self._x_values()
        parts = [f"{self.y_label or self.title} over {self.x_label}, {number(min(xs))} to {number(max(xs))}"]
        for kind, points, label, *_ in self.series:
            if not points:
                continue
            if kind == "level":
                parts.append(label)
            elif kind == "void":
                parts.append(f"{label} at {', '.join(number(p[0]) for p in points)}")
            else:
                ys = [y for p in points for y in p[1:]]
                parts.append(f"{label + ': ' if label else ''}from {number(min(ys))} to {number(max(ys))}, "
                             f"at last {number(points[-1][-1])}")
        return "; ".join(parts) + "."

    def svg(self, at=None, name=""):
        """at: its place in an SVG around it. name: unlike that of any other plot of the same title."""
        _, y_ticks = self._scales(self.width)
        left = 14 + LETTER * max(len(f"{tick:,.10g}") for tick in y_ticks)
        right, bottom = self.width - 26, self.height - 42
        x_ticks, y_ticks = self._scales(right - left)
        legend, rows = self._legend(8, self.width - 8)
        names = 14 if self.phases else 0
        top = 54 + names + ROW * rows

        def x(value):
            low, high = x_ticks[0], x_ticks[-1]
            if self.x_ticks:
                low, high, value = math.log(low), math.log(high), math.log(value)
            return left + (right - left) * (value - low) / ((high - low) or 1)

        def y(value):
            if self.log:
                low, high = math.log10(y_ticks[0]), math.log10(y_ticks[-1])
                share = (math.log10(max(value, y_ticks[0])) - low) / (high - low)
            else:
                share = value / y_ticks[-1]
            return bottom - (bottom - top) * share

        slug = re.sub(r"[^a-z0-9]+", "-", f"{self.title} {name}".lower()).strip("-")
        place = f'x="{at[0]}" y="{at[1]}" ' if at else ""
        out = [f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" role="img" {place}'
               f'width="{self.width}" height="{self.height}" viewBox="0 0 {self.width} {self.height}" '
               f'aria-labelledby="{slug}-title {slug}-desc">'
               f'<title id="{slug}-title">{html.escape(self.title)}</title>'
               f'<desc id="{slug}-desc">{html.escape(self._description())}</desc>'
               '<rect class="ground" width="100%" height="100%"/>'
               f'<text class="title" x="8" y="20">{html.escape(self.title)}</text>'
               f'<text class="soft" x="8" y="{top - 12 - names}">{html.escape(self.y_label)}</text>']
        for i, (begin, end, label) in enumerate(self.phases):
            wide = x(end) - x(begin)
            if i % 2:
                out.append(f'<rect class="shade" x="{x(begin):.1f}" y="{top}" width="{wide:.1f}" '
                           f'height="{bottom - top}"/>')
            if wide > 0.9 * LETTER * len(label):
                out.append(f'<text class="soft" x="{x(begin) + wide / 2:.1f}" y="{top - 5}" '
                           f'text-anchor="middle">{html.escape(label)}</text>')
        for tick in y_ticks:
            out.append(f'<line class="grid" x1="{left:.1f}" x2="{right}" y1="{y(tick):.1f}" '
                       f'y2="{y(tick):.1f}"/><text x="{left - 6:.1f}" y="{y(tick) + 4:.1f}" '
                       f'text-anchor="end">{tick:,.10g}</text>')
        for tick in x_ticks:
            out.append(f'<text x="{x(tick):.1f}" y="{bottom + 17}" text-anchor="middle">{tick:,.10g}</text>')
        out.append(f'<line class="axis" x1="{left:.1f}" x2="{right}" y1="{bottom}" y2="{bottom}"/>'
                   f'<text class="soft" x="{right}" y="{self.height - 8}" text-anchor="end">'
                   f'{html.escape(self.x_label)}</text>')
        crossed = {}  # how many crosses there are at that place already
        for i, (kind, points, label, look, colour) in enumerate(self.series):
            dashed = " dashed" if "dashed" in look or kind == "level" else ""
            if kind == "line":
                path = " ".join(f"{x(px):.1f},{y(py):.1f}" for px, py in points)
                out.append(f'<polyline class="{colour} line{dashed}" points="{path}"/>')
            if kind == "dots" or "dots" in look or (kind == "line" and len(points) == 1):
                faint, radius = (" faint", 1.8) if kind == "dots" else ("", 3)
                out += [f'<circle class="{colour} dot{faint}" cx="{x(px):.1f}" cy="{y(py):.1f}" r="{radius}"/>'
                        for px, py in points]
            if kind == "band":
                edge = [f"{x(px):.1f},{y(low):.1f}" for px, low, _ in points]
                edge += [f"{x(px):.1f},{y(up):.1f}" for px, _, up in reversed(points)]
                out.append(f'<polygon class="{colour} band" points="{" ".join(edge)}"/>')
            if kind == "level":
                out.append(f'<line class="{colour} line dashed" x1="{left:.1f}" x2="{right}" '
                           f'y1="{y(points[0][0]):.1f}" y2="{y(points[0][0]):.1f}"/>')
            if kind == "void":
                for (px,) in points:
                    crossed[px] = crossed.get(px, 0) + 1
                    out.append(cross(colour, x(px), bottom - 2 - 10 * crossed[px] + 4))
            if label:
                out.append(sample(kind, colour, dashed, "dots" in look, legend[i][0], 38 + ROW * legend[i][1]))
                out.append(f'<text x="{legend[i][0] + SAMPLE + 4:.1f}" y="{38 + ROW * legend[i][1]}">'
                           f'{html.escape(label)}</text>')
        out.append("</svg>")
        return "\n".join(out)


def cross(colour, x, y):
    return (f'<path class="{colour} line" d="M{x - 4:.1f} {y - 4:.1f} l8 8 m0 -8 l-8 8"/>')


def sample(kind, colour, dashed, dots, x, y):
    """What a legend shows of a series."""
    if kind == "void":
        return cross(colour, x + SAMPLE / 2, y - 4)
    if kind == "band":
        return f'<rect class="{colour} band" x="{x:.1f}" y="{y - 9}" width="{SAMPLE}" height="10"/>'
    dot = f'<circle class="{colour} dot" cx="{x + SAMPLE / 2:.1f}" cy="{y - 4}" r="3"/>'
    if kind == "dots":
        return dot
    line = f'<path class="{colour} line{dashed}" d="M{x:.1f} {y - 4} h{SAMPLE}"/>'
    return line + dot if dots else line


def histogram(title, x_label, values, bins=40):
    """How often which value occurs, as a plot of one band."""
    plot = Plot(title, x_label, "how often")
    low, high = min(values), max(values)
    width = max((high - low) / bins, 1e-6)
    counts = [0] * (bins + 1)
    for value in values:
        counts[min(int((value - low) / width), bins)] += 1
    steps = []
    for i, count in enumerate(counts):
        steps += [(low + i * width, 0, count), (low + (i + 1) * width, 0, count)]
    plot.band(steps)
    return plot
