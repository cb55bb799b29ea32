"""The command line: `labkit up | down | status | env | config | doctor | deploy | destroy | send | query | run | logs`.

Exit codes: 0 done; 1 failed, with a message on stderr that says what to do; 2 wrong usage.
"""

from __future__ import annotations

import dataclasses
import json
import shlex
import sys
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from labkit.config import load
from labkit.errors import ConfigError, LabError, UsageError

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def main(arguments: list[str] | None = None) -> None:
    """The console script: runs a command, and turns what goes wrong into a message and an exit code."""
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        code = cli.main(arguments, prog_name="labkit", standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except click.UsageError as error:
        error.show()
        return WRONG_USAGE
    except click.Abort:
        click.echo("Stopped. The lab is as it was; what runs on the target goes on.", err=True)
    except click.ClickException as error:
        error.show()
    except (ConfigError, UsageError) as error:
        click.echo(error, err=True)
        return WRONG_USAGE
    except LabError as error:
        click.echo(error, err=True)
    except (ClientError, BotoCoreError) as error:
        from labkit.session import explain

        click.echo(explain(error, load()), err=True)
    except KeyboardInterrupt:
        click.echo("\nInterrupted. What runs on the target goes on: labkit status", err=True)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away, as `head` does
    return FAILED


def _lab() -> Any:
    """The lab of this shell's settings. Imported here: `--help` and completion need not load boto3 and pandas."""
    from labkit.lab import Lab

    return Lab()


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="labkit")
def cli() -> None:
    """A lab for event-driven ETL on AWS, on an embedded local AWS (default) or in a real account.

    \b
    Start here:      labkit up && labkit deploy && labkit send
    Then:            labkit query "select count(*) from toll_table"
    With AWS tools:  eval "$(labkit env)"; aws s3 ls

    Settings come from labkit.toml in LABKIT_HOME and from LABKIT_* variables: labkit config.
    """


@cli.command()
def up() -> None:
    """Start the local AWS in the background, and return when it is ready.

    On a sound one this does nothing; a half-dead one is healed.
    """
    status = _lab().up()
    where = f" at {status.endpoint_url}" if status.endpoint_url else ""
    click.echo(f"{status}{where}")
    click.echo('Next: labkit deploy · labkit run · eval "$(labkit env)"')


@cli.command()
@click.option("--wipe", is_flag=True, help="Forget its data, too.")
def down(wipe: bool) -> None:
    """Stop the local AWS and everything that it runs. Its data stay."""
    ran = _lab().down(wipe=wipe)
    click.echo(("Stopped." if ran else "It was not running.") + (" Its data are gone." if wipe else ""))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def status(as_json: bool) -> None:
    """Show what runs, and what holds of each step."""
    lab = _lab()
    target = lab.session.status()
    checks = lab.status() if target.healthy else ()
    if as_json:
        steps = {
            check.step: {
                "ok": check.ok,
                "facts": [{"holds": fact.holds, "what": fact.what, "fix": fact.fix} for fact in check.facts],
            }
            for check in checks
        }
        happened = lab.happened() if checks else None
        processes = [{"name": name, "pid": pid} for name, pid in target.processes]
        _print_json(
            {
                "target": target.target,
                "running": target.running,
                "healthy": target.healthy,
                "region": target.region,
                "endpoint_url": target.endpoint_url,
                "home": str(lab.config.home),
                "log_file": target.log_file,
                "enforce_iam": target.enforces_iam,
                "processes": processes,
                "steps": steps,
                "events": dataclasses.asdict(happened) if happened else None,
            }
        )
        return
    click.echo(f"{target}" + ("" if target.running else " (start it: labkit up)"))
    for name, pid in target.processes:
        click.echo(f"  {name}, process {pid}")
    for check in checks:
        if check.ok:
            click.echo(f"✓ {check.step}")
        else:
            click.echo(f"✗ {check.step}")
            for fact in check.facts:
                if not fact.holds:
                    click.echo(f"    {fact}")
    if checks:
        click.echo(str(lab.happened()))


@cli.command()
def env() -> None:
    """Print export lines, with which AWS CLI, psql, dbt or any SDK reach the target.

    \b
    eval "$(labkit env)"
    """
    lab = _lab()
    variables = lab.session.environment()
    try:
        cluster, secret = lab.redshift.describe(), lab.secrets.read()
    except LabError:
        cluster = None  # not there yet: what S3 or Glue needs is known all the same
    if cluster is not None:
        variables |= {
            "PGHOST": cluster.host,
            "PGPORT": str(cluster.port),
            "PGUSER": secret["username"],
            "PGPASSWORD": secret["password"],
            "PGDATABASE": cluster.database,
        }
        if lab.session.ca_bundle:
            variables["PGSSLROOTCERT"] = lab.session.ca_bundle
    for name, value in variables.items():
        click.echo(f"export {name}={shlex.quote(value)}")


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
def config(as_json: bool) -> None:
    """Show the settings, and the names that they lead to."""
    lab = _lab()
    names, settings = lab.names, lab.config
    shown: dict[str, Any] = settings.model_dump(mode="json")
    shown |= {name: getattr(names, name) for name in names.__dataclass_fields__}
    shown["secret_id"] = names.secret
    if as_json:
        _print_json(shown)
        return
    width = max(map(len, shown))
    for name in sorted(shown):
        click.echo(f"{name:<{width}}  {'' if shown[name] is None else shown[name]}")


@cli.command()
def doctor() -> None:
    """Look for what commonly goes wrong on this machine."""
    from labkit.doctor import examine

    result = examine(load())
    for fact in result.facts:
        click.echo(fact)
    if not result:
        raise LabError("Something is in the lab's way.", fix="Follow the advice at each ✗ above.")


@cli.command()
@click.argument("steps", nargs=-1, metavar="[STEP]...")
@click.option("--yes", is_flag=True, help="Don't ask, on AWS, before anything is created.")
def deploy(steps: tuple[str, ...], yes: bool) -> None:
    """Create what the notebooks 00 to 07 create; what is there already is brought into line.

    STEPs, in their order: buckets roles functions network redshift secrets crawlers job workflow retries notification
    query. All of them without.
    """
    lab = _lab()
    if yes:
        lab.agree()
    for name, _made in lab.deploy(*steps):
        click.echo(f"✓ {name}")
    click.echo('Next: labkit send · labkit query "select count(*) from toll_table"')


@cli.command()
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.argument("steps", nargs=-1, metavar="[STEP]...")
def destroy(steps: tuple[str, ...], yes: bool) -> None:
    """Remove everything that the lab made (or the STEPs named), data included, and report what is left."""
    lab = _lab()
    lab.chosen(steps)
    if not yes:
        what = ", ".join(steps) if steps else "everything"
        question = f"Remove {what} of lab {lab.config.prefix or '(no prefix)'} on {lab.config.target}?"
        if not click.confirm(question, err=True):
            raise LabError("Nothing was removed.", fix="To remove without being asked: labkit destroy --yes")
    for removed in lab.destroy(*steps):
        click.echo(f"✓ {removed.step}" + (f": {', '.join(removed.removed)}" if removed.removed else ""))
    if not steps and (left := lab.leftovers()):
        raise LabError(f"Not everything is gone; {left}", fix="Run it again, or remove these by hand.")


@cli.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("--rows", default=100, show_default=True, help="Rows a file.")
@click.option("--files", "count", default=1, show_default=True, type=click.IntRange(1), help="How many files.")
@click.option("--seed", type=int, help="The same seed and --until give the same rows.")
@click.option("--until", type=click.DateTime(["%Y-%m-%d", "%Y/%m/%d"]), help="The last day; today by default.")
def send(files: tuple[Path, ...], rows: int, count: int, seed: int | None, until: datetime | None) -> None:
    """Land data: FILEs from this machine, or files that the generator function makes."""
    landed = _lab().send(*files, rows=rows, count=count, seed=seed, until=until.date() if until else None)
    for key in landed.keys:
        click.echo(f"s3://{landed.bucket}/{key}")
    click.echo(
        f"{landed.rows} rows landed in {landed.files} files" if landed.files > 1 else f"{landed.rows} rows landed"
    )


@cli.command()
def redrive() -> None:
    """Send the events that were given up (labkit status shows them) back to the start function, to begin anew."""
    letters = _lab().retries.redrive()
    for letter in letters:
        click.echo(f"{letter.key}: {letter.reason}")
    click.echo(f"{len(letters)} sent back." if letters else "No event was given up: nothing to send back.")


@cli.command()
@click.argument("sql")
@click.option("--json", "form", flag_value="json", help="One JSON list of objects.")
@click.option("--csv", "form", flag_value="csv", help="CSV with a header.")
def query(sql: str, form: str | None) -> None:
    """Run one SQL statement in Redshift, through the Data API. With - as SQL, it is read from stdin."""
    result = _lab().query(sys.stdin.read() if sql == "-" else sql)
    if form == "json":
        click.echo(result.to_json(orient="records", date_format="iso"))
    elif form == "csv":
        click.echo(result.to_csv(index=False), nl=False)
    elif len(result.columns):
        click.echo(result.to_string(index=False))
    else:
        click.echo("Done; the statement gives no rows.")


@cli.command()
@click.argument("notebooks", nargs=-1, metavar="[NOTEBOOK]...")
@click.option(
    "-p", "--parameter", "given", nargs=2, multiple=True, metavar="NAME VALUE", help="Set a notebook parameter."
)
def run(notebooks: tuple[str, ...], given: tuple[tuple[str, str], ...]) -> None:
    """Execute the notebooks in order into runs/, and write one HTML report.

    It stops at the first that fails. The last notebook removes everything that the lab made.
    """
    from labkit import batch, report

    files = batch.notebooks(notebooks)
    parameters = {name: batch.parse_value(value) for name, value in given}
    batch.check_parameters(files, parameters)
    lab = _lab()
    lab.up()
    result = batch.run(lab, files, parameters, click.echo)
    page = report.write(result)
    if result.failure:
        click.echo(f"report: {page}", err=True)
        raise result.failure
    if result.counts is None:
        raise LabError("Nothing could be counted: the lab is not complete.", fix=f"Look at {page}")
    counts = result.counts
    sums = f"{counts.landed} landed, {counts.loaded} loaded, {counts.queried} queried"
    if not counts.agree:
        raise LabError(f"The rows don't agree: {sums}.", where=f"Report: {page}", fix="Look at: labkit logs job")
    click.echo(f"rows landed = loaded = queried: {counts.landed} = {counts.loaded} = {counts.queried}")
    click.echo(f"report: {page}")
    click.echo("next: open the report, or explore it yourself: make lab · labkit deploy · labkit send")


@cli.command()
@click.argument("what", default="server", metavar="[WHAT]")
@click.option(
    "-n", "--lines", default=50, show_default=True, type=click.IntRange(1), help="How many of the last lines."
)
def logs(what: str, lines: int) -> None:
    """Show a log's last lines.

    WHAT: server (the local AWS itself), job (the Glue job's last run), crawler, generator, start, or the name of any
    Lambda function.
    """
    from labkit import logs as sources

    found = sources.read(_lab(), what, lines)
    for line in deque(found, maxlen=lines):
        click.echo(line.rstrip("\n"))


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


if __name__ == "__main__":
    main()
