"""A report as one HTML file: no scripts, nothing loaded, made to be printed."""

from html import escape

from fairdatabase.privacy.formats.blocks import Block, Grid, Heading, Text, Verdict, blocks
from fairdatabase.privacy.schemas.reports import PrivacyReport

_STYLE = """
:root { color-scheme: light dark; --ink: light-dark(#13222b, #e8eef0);
  --soft: light-dark(#586a74, #93a3ab); --line: light-dark(#dee5e8, #27333a);
  --ground: light-dark(#fff, #0e1418); --ok: light-dark(#17633f, #7bd3a4);
  --bad: light-dark(#9c232c, #f3a19e); }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.5rem 1.25rem 4rem; max-width: 52rem; background: var(--ground);
  color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; overflow-wrap: break-word; }
h1 { font: 500 2rem/1.2 Georgia, serif; margin: 0 0 .25rem; }
h2 { font: 500 1.35rem/1.25 Georgia, serif; margin: 2.5rem 0 .75rem; break-after: avoid; }
.lead { color: var(--soft); margin: 0 0 1.5rem; }
.verdict { border: 2px solid; border-radius: 10px; padding: .9rem 1.1rem; font-weight: 600;
  font-size: 1.1rem; }
.verdict.ok { color: var(--ok); } .verdict.bad { color: var(--bad); }
.wide { overflow-x: auto; margin: 1rem 0; }
table { border-collapse: collapse; width: 100%; font-size: .9rem; }
caption { text-align: start; color: var(--soft); padding-block-end: .4rem; }
th, td { text-align: start; vertical-align: top; padding: .4rem .8rem .4rem 0;
  border-block-end: 1px solid var(--line); }
td.n, th.n { text-align: end; font-variant-numeric: tabular-nums; white-space: nowrap; }
code { font: .82rem/1.4 ui-monospace, monospace; overflow-wrap: anywhere; }
@media print { :root { color-scheme: light; } body { padding: 0; max-width: none; font-size: 10pt; }
  tr, .verdict { break-inside: avoid; } .wide { overflow: visible; }
  thead { display: table-header-group; } }
@page { margin: 18mm 16mm; }
"""


def write_html(report: PrivacyReport) -> bytes:
    """Return the report as a page of its own."""
    title = f"Privacy report: {report.file['name']}"
    body = "\n".join(_html(block) for block in blocks(report))
    page = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<main>\n"
        f'<h1>Privacy report</h1>\n<p class="lead">{escape(report.file["name"])}</p>\n'
        f"{body}\n</main>\n</body>\n</html>\n"
    )
    return page.encode()


def _html(block: Block) -> str:
    match block:
        case Heading():
            return f"<h2>{escape(block.text)}</h2>"
        case Verdict():
            state, mark = ("ok", "\u2713") if block.passed else ("bad", "\u2717")
            return f'<p class="verdict {state}">{mark} {escape(block.text)}</p>'
        case Grid():
            return _table(block)
        case Text():
            return f"<p>{_with_code(block.text)}</p>"


def _table(grid: Grid) -> str:
    head = ""
    if any(grid.head):
        cells = "".join(
            f'<th scope="col"{_class(grid, place)}>{escape(text)}</th>'
            for place, text in enumerate(grid.head)
        )
        head = f"<thead><tr>{cells}</tr></thead>"
    rows = "".join(f"<tr>{_cells(grid, row)}</tr>" for row in grid.rows)
    caption = f"<caption>{escape(grid.caption)}</caption>"
    return f'<div class="wide"><table>{caption}{head}<tbody>{rows}</tbody></table></div>'


def _cells(grid: Grid, row: tuple[str, ...]) -> str:
    def cell(place: int, text: str) -> str:
        shown = f"<code>{escape(text)}</code>" if place in grid.codes else escape(text)
        if place == 0:
            return f'<th scope="row"{_class(grid, place)}>{shown}</th>'
        return f"<td{_class(grid, place)}>{shown}</td>"

    return "".join(cell(place, text) for place, text in enumerate(row))


def _class(grid: Grid, place: int) -> str:
    return ' class="n"' if place in grid.numbers else ""


def _with_code(text: str) -> str:
    parts = [
        f"<code>{escape(part)}</code>" if place % 2 else escape(part)
        for place, part in enumerate(text.split("`"))
    ]
    return "".join(parts)
