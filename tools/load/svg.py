"""Plots as SVG text, for reports and benches: lines, dots, bands and levels over two axes."""

import html
import math

COLOURS = ["#2563a8", "#c2410c", "#3f7d20", "#7c3aed", "#6b7280"]
STYLE = """<style>
text { font: 12px sans-serif; fill: #374151 } .title { font-size: 14px; font-weight: bold }
.grid { stroke: #e5e7eb } .axis { stroke: #6b7280 }
</style>"""


def ticks(low, high, count=5):
    """Round numbers from at most low to at least high."""
    step = 10 ** math.floor(math.log10(max(high - low, 1e-9) / count))
    step = next(step * k for k in (1, 2, 5, 10) if (high - low) / (step * k) <= count)
    first = math.floor(low / step)
    return [i * step for i in range(first, math.ceil(high / step - 1e-9) + 1)]


class Plot:
    """One plot. Series are added, then svg() is asked for."""

    def __init__(self, title, x_label, y_label, width=560, height=280, y_max=None, log=False):
        self.title, self.x_label, self.y_label = title, x_label, y_label
        self.width, self.height, self.y_max, self.log = width, height, y_max, log
        self.series = []

    def line(self, points, label=None, dashed=False, dots=False):
        self.series.append(("line", [p for p in points if p[1] is not None], label, dashed, dots))

    def dots(self, points, label=None):
        self.series.append(("dots", points, label, False, False))

    def band(self, points, label=None):
        """points: (x, low, high)."""
        self.series.append(("band", points, label, False, False))

    def level(self, y, label):
        self.series.append(("level", [(None, y)], label, True, False))

    def _ranges(self):
        points = [p for kind, ps, *_ in self.series if kind != "level" for p in ps]
        xs = [p[0] for p in points] or [0, 1]
        ys = [y for _, ps, *_ in self.series for p in ps for y in p[1:]] or [1]
        if self.log:
            lowest = min((y for y in ys if y > 0), default=1)
            y_ticks = [10.0 ** e for e in range(math.floor(math.log10(lowest)),
                                                math.ceil(math.log10(max(max(ys), lowest * 2))) + 1)]
        else:
            y_ticks = ticks(0, self.y_max or max(max(ys), 1e-6))
        return ticks(min(xs), max(max(xs), min(xs) + 1e-6)), y_ticks

    def _legend(self, left, right):
        """Where each series' label ends, from the right to the left, and in which row; the rows."""
        places, at, row = {}, right, 0
        for i, (_, _, label, _, _) in enumerate(self.series):
            if not label:
                continue
            if at - 7 * len(label) < left and at < right:
                at, row = right, row + 1
            places[i] = (at, row)
            at -= 7 * len(label) + 14
        return places, row + 1

    def svg(self):
        x_ticks, y_ticks = self._ranges()
        left, right, bottom = 58, 14, 44
        legend, rows = self._legend(left + 8 * len(self.y_label) + 12, self.width - right)
        top = 36 + 15 * rows
        wide, high = self.width - left - right, self.height - top - bottom

        def x(value):
            return left + wide * (value - x_ticks[0]) / (x_ticks[-1] - x_ticks[0])

        def share(value):
            if self.log:
                return (math.log10(max(value, y_ticks[0])) - math.log10(y_ticks[0])) / (
                    math.log10(y_ticks[-1]) - math.log10(y_ticks[0]))
            return min(value, y_ticks[-1]) / y_ticks[-1]

        def y(value):
            return top + high * (1 - share(value))

        out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{self.width}" height="{self.height}" '
               f'viewBox="0 0 {self.width} {self.height}">{STYLE}'
               f'<rect width="100%" height="100%" fill="#fff"/>'
               f'<text class="title" x="{left}" y="18">{html.escape(self.title)}</text>']
        for tick in y_ticks:
            out.append(f'<line class="grid" x1="{left}" x2="{left + wide}" y1="{y(tick):.1f}" '
                       f'y2="{y(tick):.1f}"/><text x="{left - 6}" y="{y(tick) + 4:.1f}" '
                       f'text-anchor="end">{tick:g}</text>')
        for tick in x_ticks:
            out.append(f'<text x="{x(tick):.1f}" y="{top + high + 16}" text-anchor="middle">{tick:g}'
                       f'</text>')
        out.append(f'<line class="axis" x1="{left}" x2="{left + wide}" y1="{top + high}" '
                   f'y2="{top + high}"/><text x="{left + wide}" y="{self.height - 8}" '
                   f'text-anchor="end">{html.escape(self.x_label)}</text>'
                   f'<text x="{left}" y="36" >{html.escape(self.y_label)}</text>')
        for i, (kind, points, label, dashed, dots) in enumerate(self.series):
            colour = COLOURS[i % len(COLOURS)]
            dash = ' stroke-dasharray="5 4"' if dashed else ""
            if kind == "line" and points:
                path = " ".join(f"{x(px):.1f},{y(py):.1f}" for px, py in points)
                out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" '
                           f'stroke-width="1.8"{dash}/>')
            if kind == "dots" or dots:
                out += [f'<circle cx="{x(px):.1f}" cy="{y(py):.1f}" r="{3 if dots else 1.6}" '
                        f'fill="{colour}" fill-opacity="{1 if dots else 0.5}"/>' for px, py in points]
            if kind == "band" and points:
                edge = [f"{x(px):.1f},{y(low):.1f}" for px, low, _ in points]
                edge += [f"{x(px):.1f},{y(up):.1f}" for px, _, up in reversed(points)]
                out.append(f'<polygon points="{" ".join(edge)}" fill="{colour}" fill-opacity="0.25"/>')
            if kind == "level":
                at = y(points[0][1])
                out.append(f'<line x1="{left}" x2="{left + wide}" y1="{at:.1f}" y2="{at:.1f}" '
                           f'stroke="{colour}"{dash}/>')
            if label:
                at, row = legend[i]
                out.append(f'<text x="{at}" y="{36 + 15 * row}" text-anchor="end" '
                           f'style="fill:{colour}">{html.escape(label)}</text>')
        out.append("</svg>")
        return "\n".join(out)


def histogram(title, x_label, values, bins=40):
    """How often which value occurs, as a plot of one band."""
    plot = Plot(title, x_label, "how often")
    low, high = min(values), max(values)
    width = max((high - low) / bins, 1e-6)
    counts = [0] * (bins + 1)
    for value in values:
        counts[int((value - low) / width)] += 1
    steps = []
    for i, count in enumerate(counts):
        steps += [(low + i * width, 0, count), (low + (i + 1) * width, 0, count)]
    plot.band(steps)
    return plot
