"""Pictures shown in Jupyter, where there is one; IPython is never required."""

from __future__ import annotations

import base64
import io
import sys
from typing import Any, Final

from matplotlib.figure import Figure
from PIL import Image  # matplotlib's own; it needs it to write a PNG

DPI: Final = 110


def png(figure: Figure, *, dpi: int = DPI) -> bytes:
    """Return a figure as a PNG of 256 colours, a third of the bytes of one of all."""
    drawn, reduced = io.BytesIO(), io.BytesIO()
    figure.savefig(drawn, format="png", dpi=dpi)
    colours = Image.open(drawn).convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE)
    colours.save(reduced, "PNG", optimize=True)
    return reduced.getvalue()


def data_uri(content: bytes, kind: str) -> str:
    """Return bytes of a media type as a URI that holds them."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def show_after_cell(figure: Figure) -> bool:
    """Show a figure once the running cell is done, with what was added to it meanwhile.

    Says whether there is a notebook that will.
    """
    shell = _shell()
    if shell is None:
        return False

    def show() -> None:
        shell.events.unregister("post_execute", show)
        display = sys.modules["IPython"].display
        display.display(display.Image(png(figure), format="png"))

    shell.events.register("post_execute", show)
    return True


def _shell() -> Any:
    """Return the notebook's shell, or None in a script or a terminal."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    return shell if hasattr(shell, "kernel") else None
