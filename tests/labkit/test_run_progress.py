"""What `labkit run` shows while it runs."""

from __future__ import annotations

import io

from labkit.tools.run_progress import START_OF_LINE, Plain, Redrawn


def test_without_a_terminal_there_is_one_line_for_each_notebook() -> None:
    said: list[str] = []
    shown = Plain(said.append)
    shown.cell("00_start", 1, 2)
    shown.cell("00_start", 2, 2)
    shown.ended("00_start", 1.234, failed=False)
    shown.cell("01_network", 1, 2)
    shown.ended("01_network", 12, failed=True)
    shown.close()
    assert said == ["00_start         ok        1.2 s", "01_network       failed   12.0 s"]


def test_in_a_terminal_a_line_with_the_cell_is_redrawn_and_replaced_at_the_end() -> None:
    stream = io.StringIO()
    shown = Redrawn(lambda line: print(line, file=stream), stream)
    shown.cell("00_start", 7, 21)
    shown.ended("00_start", 1.2, failed=False)
    shown.close()
    drawn = stream.getvalue()
    assert drawn.startswith(f"{START_OF_LINE}00_start         cell 7 of 21    0 s")
    assert drawn.endswith(f"{START_OF_LINE}00_start         ok        1.2 s\n")


def test_nothing_half_drawn_is_left_when_a_run_is_interrupted() -> None:
    stream = io.StringIO()
    shown = Redrawn(print, stream)
    shown.cell("00_start", 7, 21)
    shown.close()
    assert stream.getvalue().endswith(START_OF_LINE)
