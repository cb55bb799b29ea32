"""The parts of the report of `labkit run`, each as HTML. A part about which nothing is known is empty."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat

from labkit.data.counts import Counts, ExactlyOnceCounts
from labkit.show.display import Check
from labkit.show.picture import STORY, picture
from labkit.steps.runs import NOT_STARTED, Run
from labkit.tasks import cells as task_cells
from labkit.tasks import registry
from labkit.tools.batch import TEARDOWN, Batch
from labkit.tools.pages import title_of

SOURCES = {
    "landed": "records in the files of the landing bucket",
    "loaded": "rows that COPY loaded, from sys_load_history",
    "rejected": "rows that the job kept aside, with a reason",
    "queried": "rows that SQL finds in toll_table",
    "missing": "landed, but not in the table",
    "doubled": "in the table more than once",
}

BREAKS = "09_reliability"
ON_PURPOSE = f"Notebook {BREAKS} breaks the pipeline on purpose."


def verdict(batch: Batch) -> str:
    """One sentence: is all well? After a failure, also the cell and the error."""
    if batch.problem is None and not batch.doubts:
        return f'<p class="verdict"><strong class="ok">✓ All is well.</strong> {html.escape(_success(batch))}</p>'
    if batch.problem is None:
        return (
            '<p class="verdict failed"><strong class="bad">! All notebooks ran, but something may be wrong.</strong> '
            f"{html.escape(_success(batch))}</p><pre>{html.escape(chr(10).join(batch.doubts))}</pre>"
        )
    total = len(batch.executed) + len(batch.not_executed)
    # The notebook that failed is the last one executed; without a failure, all of them succeeded.
    succeeded = len(batch.executed) - (1 if batch.failure else 0)
    what, _, rest = batch.problem.what.partition("\n")
    details = "\n".join(filter(None, (rest, batch.problem.where, batch.problem.fix))).strip("\n")
    return (
        f'<p class="verdict failed"><strong class="bad">✗ This run failed.</strong> {html.escape(what)}<br>'
        f'<span class="soft">{succeeded} of {total} notebooks succeeded.</span></p>'
        + (f"<pre>{html.escape(details)}</pre>" if details else "")
    )


def _success(batch: Batch) -> str:
    number = len(batch.executed)
    ran = f"{number} notebook{'s' if number > 1 else ''} ran in {batch.seconds:.0f} seconds"
    counts = batch.facts.counts
    if counts is None:
        return f"{ran}; rows were not counted, because there is no table yet."
    if batch.rows_wait:
        return f"{ran}. Rows: {batch.rows}."
    if isinstance(counts, Counts):
        return f"{ran}. {counts.landed:,} rows landed, and SQL finds all of them: none is missing, none is doubled."
    return (
        f"{ran}. {counts.landed:,} rows landed: {counts.loaded:,} were loaded, {counts.rejected:,} were rejected with "
        f"a reason, and SQL finds each loaded row exactly once."
    )


def rows(batch: Batch) -> str:
    """The rows at each hop, and why rows were rejected."""
    counts = batch.facts.counts
    if counts is None:
        return ""
    numbers = _numbers(counts)
    hops = "".join(
        f'<div class="hop"><span class="soft">{label}</span><b>{number:,}</b>'
        f'<span class="soft">{SOURCES[label]}</span></div>'
        for label, number in numbers.items()
    )
    mark, kind = ("✓", "ok") if counts.agree else ("–", "soft") if batch.rows_wait else ("✗", "bad")
    sentence = f'<p><span class="{kind}">{mark}</span> {html.escape(batch.rows)}</p>'
    return f'<h2>Rows at every hop</h2><div class="hops">{hops}</div>{sentence}{_rejections(batch)}'


def _numbers(counts: Counts | ExactlyOnceCounts) -> dict[str, int]:
    if isinstance(counts, ExactlyOnceCounts):
        names = ("landed", "loaded", "rejected", "queried")
        return {name: getattr(counts, name) for name in names}
    numbers = {"landed": counts.landed, "loaded": counts.loaded, "queried": counts.queried}
    return numbers | {name: getattr(counts, name) for name in ("missing", "doubled") if getattr(counts, name)}


def _rejections(batch: Batch) -> str:
    if not batch.facts.rejected:
        return ""
    lines = "".join(
        f'<tr><td class="number">{number:,}</td><td>{html.escape(reason)}</td></tr>'
        for reason, number in batch.facts.rejected
    )
    return (
        "<h3>Why rows were rejected</h3>"
        f'<table><tr><th class="number">rows</th><th>reason</th></tr>{lines}</table>'
        + (f'<p class="soft">{ON_PURPOSE} It lands broken rows.</p>' if batch.ran(BREAKS) else "")
    )


def pipeline(batch: Batch) -> str:
    """The picture of what the notebooks built, and the last runs of the workflows."""
    built = [name for name in (executed.name for executed in batch.executed) if name != TEARDOWN]
    steps = [name.partition("_")[2] for name in built if name.partition("_")[2] in STORY]
    if not steps:
        return ""
    words = f"What the notebooks built. The highlighted parts are the ones of {built[-1]}."
    drawing = picture(steps[-1])._repr_svg_()
    return (
        f'<h2>The pipeline</h2><figure class="wide">{drawing}<figcaption>{html.escape(words)}</figcaption></figure>'
        f"{_runs(batch)}"
    )


def _runs(batch: Batch) -> str:
    runs = batch.facts.runs
    if not runs:
        return ""
    broken = not all(run.succeeded for run in runs) and batch.ran(BREAKS)
    example = next((run for run in runs if run.succeeded and run.landed_key), None)
    strip = f'<div class="wide">{example.pipeline().html(times=True)}</div>' if example else ""
    return (
        ("<h3>The last run that an event started</h3>" + strip if strip else "")
        + "<h3>The last runs of the workflows</h3>"
        '<div class="wide"><table><tr><th>started</th><th>workflow</th><th>cause</th><th>crawl</th><th>job</th>'
        f'<th class="number">rows</th><th class="number">took</th></tr>{"".join(map(_run, runs))}</table></div>'
        + (f'<p class="soft">{ON_PURPOSE} Some of these runs were meant to fail.</p>' if broken else "")
    )


def _run(run: Run) -> str:
    cause = f"<code>{html.escape(_shortened(run.landed_key))}</code>" if run.landed_key else run.started_by or "by hand"
    if run.message and not run.succeeded:
        cause += f'<br><span class="soft">{html.escape(_shortened(" ".join(run.message.split()), 160))}</span>'
    took = f"{run.seconds:.1f} s" if run.is_over and run.seconds is not None else "goes on"
    return (
        f'<tr><td>{run.started.astimezone():%H:%M:%S}</td><td>{html.escape(run.workflow)}</td><td class="loose">{cause}'
        f"</td><td>{_state(run.crawl)}</td><td>{_state(run.job)}</td>"
        f'<td class="number">{run.loaded.rows if run.loaded else "–"}</td><td class="number">{took}</td></tr>'
    )


def _shortened(text: str, most: int = 36) -> str:
    """The text, with its middle left out if it is long."""
    return text if len(text) <= most else f"{text[: most - 12]}…{text[-11:]}"


def _state(state: str) -> str:
    if state == "SUCCEEDED":
        return '<span class="ok">✓</span> succeeded'
    return "–" if state in ("", NOT_STARTED) else f'<span class="bad">✗</span> {html.escape(state.lower())}'


def checks(batch: Batch) -> str:
    """Each step's check."""
    found = batch.facts.checks
    if found is None:
        return ""
    when = "before the last notebook removed everything" if batch.ran(TEARDOWN) else "after the last notebook"
    right = sum(check.ok for check in found)
    return (
        f"<h2>Checks</h2><p>{right} of {len(found)} steps hold on the target, {when}.</p>{''.join(map(_check, found))}"
    )


def _check(check: Check) -> str:
    facts = "".join(
        f'<li><span class="{"ok" if fact.holds else "bad"}">{"✓" if fact.holds else "✗"}</span> '
        f"{html.escape(fact.what)}{'' if fact.holds or not fact.fix else f' → {html.escape(fact.fix)}'}</li>"
        for fact in check.facts
    )
    mark, kind = ("✓", "ok") if check.ok else ("✗", "bad")
    number = f"{sum(fact.holds for fact in check.facts)} of {len(check.facts)}"
    return (
        f"<details{'' if check.ok else ' open'}><summary>"
        f'<span class="{kind}">{mark}</span> <strong>{html.escape(check.step)}</strong> '
        f'<span class="soft">{number} facts hold</span></summary><ul>{facts}</ul></details>'
    )


def tasks(batch: Batch) -> str:
    """The tasks in the executed notebooks: done or open."""
    lines = []
    done = total = 0
    for executed in batch.executed:
        notebook = nbformat.read(executed.file, as_version=4)
        ids = [task_cells.id_of(cell) for cell in notebook.cells if "task-check" in task_cells.tags(cell)]
        open_ids = set(task_cells.unsolved(notebook)) - set(batch.facts.tasks_done)
        for task_id in ids:
            is_open = task_id in open_ids
            total, done = total + 1, done + (not is_open)
            sign = '<span class="soft">○ open</span>' if is_open else '<span class="ok">✓ done</span>'
            title = registry.TASKS[task_id].title if task_id in registry.TASKS else ""
            lines.append(f"<tr><td>{task_id}</td><td>{html.escape(title)}</td><td>{sign}</td></tr>")
    if not total:
        return ""
    return (
        f"<h2>Tasks</h2><p>{done} of {total} tasks are done. In a run in batch nobody does them, unless it is started "
        "with <code>labkit run -p solve=true</code>; a notebook passes with its tasks open.</p>"
        f"<details><summary>All tasks</summary><table>{''.join(lines)}</table></details>"
    )


def plots(batch: Batch) -> str:
    """The plots in the executed notebooks."""
    figures = "".join(
        f'<figure><img src="data:image/png;base64,{data}" alt="{html.escape(caption)}">'
        f"<figcaption>{html.escape(caption)}</figcaption></figure>"
        for executed in batch.executed
        for caption, data in _plots(executed.file)
    )
    return f'<h2>Plots</h2><div class="plots">{figures}</div>' if figures else ""


def _plots(file: Path) -> Iterator[tuple[str, str]]:
    """Each plot of a notebook, as PNG in base64, with the heading above it."""
    heading = ""
    for cell in nbformat.read(file, as_version=4).cells:
        if cell.cell_type == "markdown":
            heading = [heading, *re.findall(r"^#{2,4} +(.+)$", cell.source, re.MULTILINE)][-1]
            continue
        for output in cell.get("outputs", []):
            data: Any = output.get("data", {}).get("image/png")
            if data:
                yield f"{heading or title_of(file)} ({file.stem})", "".join(data).replace("\n", "")


def notebooks(batch: Batch) -> str:
    """Each notebook: how it went, how long it took, and links to it."""
    longest = max((executed.seconds for executed in batch.executed), default=1.0) or 1.0
    lines = [
        f'<tr><td>{_sign(executed.failure is not None)}</td><td><a href="{executed.file.stem}.html">'
        f'{html.escape(title_of(executed.file))}</a></td><td class="number">{executed.seconds:.1f} s</td>'
        f'<td class="bar-cell"><span class="bar" style="width:{100 * executed.seconds / longest:.0f}%"></span></td>'
        f'<td><a href="{executed.file.name}">notebook</a></td></tr>'
        for executed in batch.executed
    ]
    lines += [
        f'<tr><td class="soft">–</td><td class="soft">{html.escape(name)}</td><td class="soft" colspan="3">not run</td>'
        "</tr>"
        for name in batch.not_executed
    ]
    return f'<h2>Notebooks</h2><table class="full">{"".join(lines)}</table>'


def _sign(failed: bool) -> str:
    return '<span class="bad">✗</span>' if failed else '<span class="ok">✓</span>'


def footer(batch: Batch) -> str:
    """Where and how this was made."""
    given = ", ".join(f"{name}={value}" for name, value in batch.given.items())
    words = [f"Made by labkit run on target {batch.target}", f"parameters: {given}" if given else "default parameters"]
    words += [f"not known: {what}: {why}" for what, why in batch.facts.unknown.items()]
    return f"<footer>{html.escape(' · '.join(words))}. The executed notebooks are in the same folder.</footer>"
