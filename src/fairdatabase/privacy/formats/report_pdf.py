"""A report as PDF (A4), with fonts for Latin, Greek, Cyrillic, Arabic and Hebrew inside."""

from importlib import resources
from typing import Literal

from fpdf import FPDF
from fpdf.enums import TableBordersLayout, XPos, YPos
from fpdf.fonts import FontFace

from fairdatabase.privacy.formats.blocks import Block, Grid, Heading, Text, Verdict, blocks
from fairdatabase.privacy.schemas.reports import PrivacyReport

_FONTS = resources.files("fairdatabase.privacy.formats") / "fonts"
_FAMILY = "DejaVu"
_INK, _SOFT, _OK, _BAD = (19, 34, 43), (88, 106, 116), (23, 99, 63), (156, 35, 44)
_MARGIN = 18.0


class _Page(FPDF):
    """A4 with a line at the foot of each page."""

    foot = ""

    def footer(self) -> None:
        self.set_y(-14)
        self.set_font(_FAMILY, size=7)
        self.set_text_color(*_SOFT)
        self.cell(0, 5, f"{self.foot}   {self.page_no()} / {{nb}}", align="C")


def write_pdf(report: PrivacyReport) -> bytes:
    """Return the report as a PDF file."""
    page = _Page(format="A4")
    page.set_creation_date(report.issued_at)
    page.set_title(f"Privacy report: {report.file['name']}")
    page.set_lang("en")
    page.set_margin(_MARGIN)
    page.set_auto_page_break(auto=True, margin=20)
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        page.add_font(_FAMILY, style, str(_FONTS / name))
    page.foot = f"{report.instance['name']}, {report.issued_at:%Y-%m-%d}"
    page.add_page()
    _write(page, "Privacy report", size=20, style="B", height=10)
    _write(page, report.file["name"], size=10, colour=_SOFT, height=6)
    page.ln(4)
    for block in blocks(report):
        _block(page, block)
    return bytes(page.output())


def _block(page: FPDF, block: Block) -> None:
    match block:
        case Heading():
            page.ln(5)
            if page.will_page_break(40):
                page.add_page()
            _write(page, block.text, size=13, style="B", height=8)
        case Verdict():
            colour, mark = (_OK, "\u2713") if block.passed else (_BAD, "\u2717")
            page.set_draw_color(*colour)
            _write(page, f"  {mark}  {block.text}", size=11, style="B", colour=colour, height=11,
                   border=1)  # fmt: skip
            page.ln(3)
        case Grid():
            _grid(page, block)
        case Text():
            _write(page, block.text.replace("`", ""), size=9, height=5)
            page.ln(2)


def _write(
    page: FPDF,
    text: str,
    *,
    size: float,
    style: str = "",
    colour: tuple[int, int, int] = _INK,
    height: float,
    border: Literal[0, 1] = 0,
) -> None:
    page.set_font(_FAMILY, style, size)
    page.set_text_color(*colour)
    page.multi_cell(0, height, text, border=border, new_x=XPos.LMARGIN, new_y=YPos.NEXT, align="L")


def _grid(page: FPDF, grid: Grid) -> None:
    page.ln(1)
    _write(page, grid.caption, size=8, colour=_SOFT, height=5)
    page.set_font(_FAMILY, size=8)
    page.set_text_color(*_INK)
    page.set_draw_color(200, 210, 214)
    align = tuple("RIGHT" if place in grid.numbers else "LEFT" for place in range(len(grid.head)))
    with page.table(
        borders_layout=TableBordersLayout.HORIZONTAL_LINES,
        col_widths=_widths(grid),
        first_row_as_headings=any(grid.head),
        headings_style=FontFace(emphasis="BOLD", color=_INK),
        line_height=4.6,
        padding=(0.8, 1.5, 0.8, 0),
        text_align=align,
        wrapmode="CHAR" if grid.codes else "WORD",
    ) as table:
        for cells in ([grid.head] if any(grid.head) else []) + list(grid.rows):
            row = table.row()
            for text in cells:
                row.cell(text)
    page.ln(3)


def _widths(grid: Grid) -> tuple[int, ...]:
    """Return shares of the width by the longest text of each column, within limits."""
    columns = list(zip(*(grid.head, *grid.rows), strict=True))
    return tuple(min(max(*map(len, texts), 11), 60) for texts in columns)
