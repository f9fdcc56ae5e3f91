"""Right answers by length and depth as an SVG:
`python reference/train/heatmap.py ON.jsonl OFF.jsonl FILE.svg`."""

import argparse
import json
from pathlib import Path

from cases import DEPTHS

CELL, ROW = 38, 30
LEFT, TOP = 90, 96
PANEL = DEPTHS * CELL + 60
DARK, LIGHT = (8, 64, 129), (240, 244, 250)

Table = dict[int, list[float]]


def table_of(path: Path) -> Table:
    """For each length, in tokens rounded to hundreds, the mean of what is right in each tenth."""
    rows: dict[int, list[list[float]]] = {}
    tokens: dict[int, int] = {}
    for answer in map(json.loads, path.read_text().splitlines()):
        if answer["by"] == "length":
            tokens[answer["length"]] = round(answer["tokens"], -2)
            row = rows.setdefault(answer["length"], [[] for _ in range(DEPTHS)])
            row[int(answer["depth"] * DEPTHS)].append(answer["right"])
    return {
        tokens[length]: [sum(tenth) / len(tenth) for tenth in row]
        for length, row in sorted(rows.items())
    }


def colour(part: float) -> str:
    return "#" + "".join(
        f"{round(light + (dark - light) * part):02x}" for light, dark in zip(LIGHT, DARK)
    )


def text(x: float, y: float, words: str, more: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" {more}>{words}</text>'


def panel(table: Table, x: float, title: str) -> list[str]:
    parts = [text(x, TOP - 34, title, 'font-weight="600"')]
    for i in range(DEPTHS):
        parts.append(
            text(
                x + (i + 0.5) * CELL,
                TOP - 10,
                f"{10 * i}–{10 * i + 10}",
                'text-anchor="middle" font-size="11" fill="#666"',
            )
        )
    for row, (length, tenths) in enumerate(table.items()):
        y = TOP + row * ROW
        parts.append(text(x - 8, y + 20, f"{length:,}", 'text-anchor="end"'))
        for i, right in enumerate(tenths):
            parts.append(
                f'<rect x="{x + i * CELL}" y="{y}" width="{CELL - 2}" height="{ROW - 2}"'
                f' fill="{colour(right)}"/>'
            )
            ink = "#fff" if right > 0.5 else "#222"
            parts.append(
                text(
                    x + i * CELL + CELL / 2 - 1,
                    y + 19,
                    f"{100 * right:.0f}",
                    f'text-anchor="middle" font-size="12" fill="{ink}"',
                )
            )
    return parts


def svg(on: Table, off: Table) -> str:
    width, height = LEFT + 2 * PANEL, TOP + len(on) * ROW + 50
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"'
            ' font-family="system-ui, sans-serif" font-size="13" fill="#222">'
        ),
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        text(LEFT, 28, "tiny-32k: right answers, in %", 'font-size="16" font-weight="600"'),
        *panel(on, LEFT, "positions interpolated, factor 8"),
        *panel(off, LEFT + PANEL, "the same weights, factor 1"),
        text(
            LEFT,
            height - 16,
            "Rows: tokens of the prompt. Columns: where in it the answer is, in %. Held-out people;"
            " a reply counts if it is right to the letter.",
            'font-size="12" fill="#666"',
        ),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("on", type=Path)
    parser.add_argument("off", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    arguments.out.write_text(svg(table_of(arguments.on), table_of(arguments.off)))
