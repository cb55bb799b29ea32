"""Draw the pictures of the pipeline that the notebooks show: `python docs/make_pictures.py` (make pictures).

They are files, because a notebook that JupyterLab does not trust yet shows no SVG output, but it does show images.
"""

from __future__ import annotations

from pathlib import Path

from labkit.show.picture import STORY, picture

IMAGES = Path(__file__).parent / "images"


def drawings() -> dict[str, str]:
    """File name in docs/images → the SVG text."""
    return {picture(step).file: picture(step)._repr_svg_() for step in STORY}


def main() -> None:
    """Write the files, and remove pictures that no step has any more."""
    IMAGES.mkdir(exist_ok=True)
    drawn = drawings()
    for file in IMAGES.glob("pipeline-*.svg"):
        if file.name not in drawn:
            file.unlink()
    for name, text in drawn.items():
        (IMAGES / name).write_text(text)


if __name__ == "__main__":
    main()
