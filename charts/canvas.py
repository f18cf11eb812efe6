"""A card to draw on, in CSS pixels from its lower left corner, and its conversion to PNG bytes.

Artists are put on the figure itself. Axes would bring ticks, spines and locators that cost more time than
everything in the picture, and the layout of the labels needs pixel positions anyway.
"""

from collections.abc import Sequence
from functools import cache, lru_cache
from io import BytesIO

from matplotlib.artist import Artist
from matplotlib.backend_bases import RendererBase
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection, PathCollection, PolyCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.font_manager import get_font
from matplotlib.path import Path
from matplotlib.transforms import Affine2D, IdentityTransform, Transform
from PIL import Image

from charts import style
from charts.labels import Box, Point
from charts.themes import PALETTES, Ink, Palette, Theme

# A figure is measured in inches of 72 points. At 144 dots per inch a point is one CSS pixel at 2×.
_POINTS_PER_INCH = 72
# Run-length encoding suits flat areas: smaller than zlib's default on these pictures, and as fast as level 1.
_PNG_STRATEGY = {"compress_level": 3, "compress_type": 3}


HOUSE_GROUNDS = (Ink.CARD, Ink.DAY_OFF, Ink.TODAY)


class Canvas:
    """A card. Later shapes cover earlier ones, except that text lies above all."""

    def __init__(
        self, theme: Theme, grounds: tuple[Ink, ...] = HOUSE_GROUNDS, fills: tuple[Ink, ...] = ()
    ) -> None:
        """`grounds` are the colours under inks, the card first; `fills` are other colours of areas."""
        self._colours = PALETTES[theme]
        self._picture_palette = _make_picture_palette(theme, grounds, fills)
        size = (style.WIDTH / _POINTS_PER_INCH, style.HEIGHT / _POINTS_PER_INCH)
        dpi, card = _POINTS_PER_INCH * style.PIXEL_RATIO, self._colours[Ink.CARD]
        self._figure = Figure(size, dpi=dpi, facecolor=card)
        self._canvas = FigureCanvasAgg(self._figure)
        self._to_pixels = Affine2D().scale(style.PIXEL_RATIO)
        self._order = 0
        self._words = list[_Word]()

    def areas(self, boxes: Sequence[Box], inks: Sequence[Ink]) -> None:
        corners = [
            ((b.left, b.bottom), (b.left, b.top), (b.right, b.top), (b.right, b.bottom)) for b in boxes
        ]
        self._add(PolyCollection(corners, facecolors=[self._colours[ink] for ink in inks], linewidths=0))

    def frames(self, boxes: Sequence[Box], ink: Ink) -> None:
        """Draw outlines of boxes, within them."""
        for box in boxes:
            left, bottom, right, top = box.left + 1, box.bottom + 1, box.right - 1, box.top - 1
            corners = [(left, bottom), (left, top), (right, top), (right, bottom), (left, bottom)]
            self.lines([corners], ink, 2)

    def shapes(self, outlines: Sequence[Sequence[Point]], ink: Ink) -> None:
        """Draw filled polygons with a thin edge in the card's colour, which sets them off from lines."""
        fill, edge = self._colours[ink], self._colours[Ink.CARD]
        self._add(PolyCollection(outlines, facecolors=fill, edgecolors=edge, linewidths=1.5))

    def bands(self, outlines: Sequence[Sequence[Point]], inks: Sequence[Ink]) -> None:
        """Draw filled polygons that may touch each other."""
        colours = [self._colours[ink] for ink in inks]
        self._add(PolyCollection(outlines, facecolors=colours, edgecolors=colours, linewidths=0.5))

    def lines(
        self, lines: Sequence[Sequence[Point]], ink: Ink, width: float, dashes: Sequence[float] = ()
    ) -> None:
        """Draw polylines. `dashes` are lengths of ink and gap in CSS pixels."""
        # A collection multiplies its dashes by the line's width.
        pattern = (0, tuple(length / width for length in dashes)) if dashes else "solid"
        ends = "butt" if dashes else "round"
        self._add(
            LineCollection(
                lines,
                colors=self._colours[ink],
                linewidths=width,
                linestyles=[pattern],
                capstyle=ends,
                joinstyle="round",
            )
        )

    def dots(self, centres: Sequence[Point], radius: float, ink: Ink) -> None:
        circles = PathCollection(
            [Path.unit_circle()],
            sizes=[radius**2],
            offsets=centres,
            offset_transform=self._to_pixels,
            facecolors=self._colours[ink],
            linewidths=0,
        )
        self._add(circles, IdentityTransform())

    def text(self, x: float, y: float, text: str, lettering: style.Lettering) -> None:
        """Draw one line of text that begins at `x`, its baseline at `y`."""
        self._words.append((x, y, text, lettering))

    def outline(self) -> None:
        """Draw the card's edge: on a white page it shows where the picture ends."""
        w, h = style.WIDTH - 0.5, style.HEIGHT - 0.5
        self.lines([((0.5, 0.5), (0.5, h), (w, h), (w, 0.5), (0.5, 0.5))], Ink.EDGE, 1)

    def png(self) -> bytes:
        """Return the picture as PNG without time or software as metadata: equal cards give equal
        bytes."""
        self._add(_Words(self._words, self._colours))
        self._canvas.draw()  # type: ignore[no-untyped-call]
        pixels = self._canvas.buffer_rgba()  # type: ignore[no-untyped-call]
        width, height = self._canvas.get_width_height(physical=True)
        image = Image.frombuffer("RGBA", (width, height), pixels, "raw", "RGBA", 0, 1).convert("RGB")
        file = BytesIO()
        reduced = image.quantize(palette=self._picture_palette, dither=Image.Dither.NONE)
        reduced.save(file, "PNG", **_PNG_STRATEGY)
        return file.getvalue()

    def _add(self, artist: Artist, transform: Transform | None = None) -> None:
        artist.set_transform(transform or self._to_pixels)
        self._order += 1
        artist.set_zorder(self._order)
        self._figure.add_artist(artist)


_Word = tuple[float, float, str, style.Lettering]


class _Words(Artist):
    """All text of a card, drawn at its places. matplotlib's Text would measure and lay it out again."""

    def __init__(self, words: Sequence[_Word], colours: Palette) -> None:
        super().__init__()
        self._words = words
        self._colours = colours

    def draw(self, renderer: RendererBase) -> None:
        for x, y, text, lettering in self._words:
            font = lettering.font.copy()
            font.set_size(lettering.size)
            graphics = renderer.new_gc()
            graphics.set_foreground(self._colours[lettering.ink])
            ratio = style.PIXEL_RATIO
            renderer.draw_text(graphics, x * ratio, (style.HEIGHT - y) * ratio, text, font, 0)
            graphics.restore()


@lru_cache(maxsize=2000)
def text_width(text: str, lettering: style.Lettering) -> float:
    """Measure the width of a line of text. Dates and small numbers recur in pictures, so it is cached."""
    face = get_font(str(lettering.font.get_file()))
    face.set_size(lettering.size, _POINTS_PER_INCH)
    face.set_text(text)
    return float(face.get_width_height()[0]) / 64


@cache
def _make_picture_palette(theme: Theme, grounds: tuple[Ink, ...], fills: tuple[Ink, ...]) -> Image.Image:
    """Create the palette of a card: its colours, and the shades between each ink and its ground.

    One fixed palette of at most 256 colours makes a picture three times smaller and its PNG four times faster
    than full colour, without a visible difference.
    """
    inks = (Ink.TEXT, Ink.QUIET_TEXT, Ink.REMAINING, Ink.IDEAL, Ink.SCOPE)
    others = (Ink.GRID, Ink.EDGE, Ink.BASELINE, Ink.TODAY_LINE)
    rgb = {ink: _parse_rgb(colour) for ink, colour in PALETTES[theme].items()}
    colours = [rgb[ink] for ink in (*grounds, *inks, *others, *fills)]
    # On the card the steps are finer, because most words stand there.
    rest = max(1, len(grounds) - 1)
    on_card, elsewhere = 17, min(14, (256 - len(colours) - 16 * len(inks)) // (len(inks) * rest) + 1)
    for ink in inks:
        for ground in grounds:
            shades = on_card if ground is Ink.CARD else elsewhere
            colours += [_blend(rgb[ground], rgb[ink], n / shades) for n in range(1, shades)]
    palette = Image.new("P", (1, 1))
    palette.putpalette([channel for colour in colours for channel in colour])
    return palette


def _blend(ground: tuple[int, ...], ink: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(round(g + (i - g) * share) for g, i in zip(ground, ink, strict=True))


def _parse_rgb(colour: str) -> tuple[int, ...]:
    return tuple(round(channel * 255) for channel in to_rgb(colour))
