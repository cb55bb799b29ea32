"""The command line: `labkit up | down | status | deploy | restart | send | load | query | run | logs | …`.

Exit codes: 0 done; 1 failed, with a message on stderr that says what to do; 2 wrong usage.
"""

from __future__ import annotations

import json
import shlex
import sys
from collections import deque
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from labkit.config import load as load_settings
from labkit.delivery import Delivery, DeliveryNames
from labkit.errors import ConfigError, LabError, MissingStep, UsageError
from labkit.tools import jupyter, running
from labkit.tools.progress import progress
from labkit.tools.watch_command import runs, watch

DONE, FAILED, WRONG_USAGE = 0, 1, 2


def main(arguments: list[str] | None = None) -> None:
    """The console script: runs a command, and turns errors into a message and an exit code."""
    sys.exit(_run(arguments))


def _run(arguments: list[str] | None) -> int:
    try:
        code = cli.main(arguments, prog_name="labkit", standalone_mode=False)
        return code if isinstance(code, int) else DONE
    except click.UsageError as error:
        error.show()
        return WRONG_USAGE
    except click.Abort:
        click.echo("Interrupted. What was started goes on: labkit status", err=True)
    except click.ClickException as error:
        error.show()
    except (ConfigError, UsageError) as error:
        click.echo(error, err=True)
        return WRONG_USAGE
    except LabError as error:
        click.echo(error, err=True)
    except KeyboardInterrupt:
        click.echo("\nInterrupted. What runs on the target goes on: labkit status", err=True)
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output went away, as `head` does
    return FAILED


def _lab() -> Any:
    """Return the lab for this shell's settings. Imported here, so that `--help` loads neither boto3 nor pandas."""
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

    Settings come from labkit.toml in LABKIT_HOME and from LABKIT_* variables. To see them: labkit config
    """


@cli.command()
def up() -> None:
    """Start the local AWS in the background. It returns when the local AWS is ready.

    If it is running and works, this does nothing. It ends processes that an earlier start left, and restarts parts that
    have failed. It succeeds only if everything that was deployed works.
    """
    status = _lab().up()
    where = f" at {status.endpoint_url}" if status.endpoint_url else ""
    click.echo(f"{status}{where}")
    click.echo('Next: labkit deploy · labkit run · eval "$(labkit env)"')


@cli.command()
@click.option("--wipe", is_flag=True, help="Also delete its data, and the record of the tasks.")
def down(wipe: bool) -> None:
    """Stop the local AWS and everything that it runs. Its data stay, and the record of the tasks too."""
    stopped = _lab().down(wipe=wipe)
    said = ["Stopped." if stopped.server else "It was not running."]
    if stopped.left_over:
        said.append(f"Ended processes that an earlier start had left: {', '.join(map(str, stopped.left_over))}.")
    if wipe:
        said.append("Its data are gone." if stopped.wiped else "It had no data.")
    click.echo(" ".join(said))


@cli.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def status(as_json: bool) -> None:
    """Show the state of the lab.

    It lists what is running, the check of each step, the rows, how the last workflow runs ended, and which events are
    waiting.
    """
    from labkit.tools.status import Status

    found = Status.of(_lab())
    if as_json:
        _print_json(found.as_json())
    else:
        click.echo(str(found))


@cli.command()
def env() -> None:
    """Print export lines for other tools. With them, the AWS CLI, psql, dbt or any SDK reaches the target.

    \b
    eval "$(labkit env)"
    """
    lab = _lab()
    variables = lab.session.environment()
    try:
        cluster, secret = lab.redshift.describe(), lab.secrets.read()
    except MissingStep:
        cluster = None  # it does not exist yet; the variables for S3, Glue and so on are known without it
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
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")
def config(as_json: bool) -> None:
    """Show the settings and the resource names."""
    lab = _lab()
    names, settings = lab.names, lab.config
    shown: dict[str, Any] = settings.model_dump(mode="json")
    shown |= {name: getattr(names, name) for name in names.__dataclass_fields__}
    shown["secret_id"] = names.secret
    shown |= _delivery_in_use(lab)
    if as_json:
        _print_json(shown)
        return
    width = max(map(len, shown))
    for name in sorted(shown):
        click.echo(f"{name:<{width}}  {'' if shown[name] is None else shown[name]}")


@cli.command()
def doctor() -> None:
    """Check this machine for common problems."""
    from labkit.tools.doctor import examine

    result = examine(load_settings())
    for fact in result.facts:
        click.echo(fact)
    if not result:
        raise LabError(
            "Something on this machine can prevent the lab from running.", fix="Follow the advice at each ✗ above."
        )


@cli.command()
@click.argument("steps", nargs=-1, metavar="[STEP]...")
@click.option(
    "--as-described", is_flag=True, help="Leave out the step reliability, so that the described delivery is in use."
)
@click.option("--yes", is_flag=True, help="On AWS, don't ask before anything is created.")
def deploy(steps: tuple[str, ...], as_described: bool, yes: bool) -> None:
    """Create what notebooks 00 to 09 create. What exists already is updated.

    STEPs, in their order: buckets roles functions network redshift secrets crawlers job workflow reliability
    notification query. If no STEP is given, all of them.

    The step reliability makes the exactly-once delivery, puts it into use, and rebuilds the table from the landing
    bucket. `labkit restart` goes back to the described delivery.
    """
    lab = _lab()
    if yes:
        lab.agree()
    made = lab.deploy(*steps, as_described=as_described, on_step=lambda name: click.echo(f"✓ {name}"))
    if unread := getattr(dict(made.steps).get("notification"), "not_announced", ()):
        files = ", ".join(unread)
        click.echo(
            f"These files landed while there was no notification, and no run has read them: {files}. "
            "Load them with: labkit load"
        )
    click.echo('Next: labkit send · labkit query "select count(*) from toll_table"')


@cli.command()
@click.option("--yes", is_flag=True, help="On AWS, don't ask.")
def restart(yes: bool) -> None:
    """Empty the lab. It goes back to the described delivery; all steps stay.

    Removes the landed files, the table's rows, the ledger, waiting events, rejected rows, staged files and the job's
    bookmark. Points s3Events back to the described start function.
    """
    lab = _lab()
    if yes:
        lab.agree()
    click.echo(lab.restart())


@cli.command()
def load() -> None:
    """Start the workflow by hand, and wait. It loads the landed files that no run has read yet."""
    click.echo(_lab().load())


@cli.command()
@click.option("--yes", is_flag=True, help="Don't ask.")
@click.argument("steps", nargs=-1, metavar="[STEP]...")
def destroy(steps: tuple[str, ...], yes: bool) -> None:
    """Remove what the lab made, including data. With STEPs, remove only these. Wait, and report what is left."""
    lab = _lab()
    lab.chosen(steps)
    if not yes:
        what = ", ".join(steps) if steps else "everything"
        question = f"Remove {what} of lab {lab.config.prefix or '(no prefix)'} on {lab.config.target}?"
        if not click.confirm(question, err=True):
            raise LabError("Nothing was removed.", fix="To remove without being asked: labkit destroy --yes")
    lab.destroy(
        *steps,
        on_step=lambda removed: click.echo(
            f"✓ {removed.step}" + (f": {', '.join(removed.removed)}" if removed.removed else "")
        ),
    )
    if not steps:
        if left := lab.leftovers():
            raise LabError(f"Not everything is gone: {left}", fix="Run it again, or remove these by hand.")
        click.echo(left)


@cli.command()
@click.argument("files", nargs=-1, type=click.Path(path_type=Path), metavar="[FILE]...")
@click.option("--rows", type=click.IntRange(1), show_default="100", help="Rows in each file.")
@click.option("--files", "count", type=click.IntRange(1), show_default="1", help="Number of files.")
@click.option("--seed", type=int, help="The same seed and --until give the same rows.")
@click.option(
    "--until", type=click.DateTime(["%Y-%m-%d", "%Y/%m/%d"]), help="The last day of the transactions; today by default."
)
@click.option("--wait", is_flag=True, help="Wait until a run has loaded the files. Exit with 1 if the run fails.")
def send(
    files: tuple[Path, ...], rows: int | None, count: int | None, seed: int | None, until: datetime | None, wait: bool
) -> None:
    """Land files in the landing bucket. Without FILE, the generator function makes them.

    A FILE is a file on this machine. It holds one JSON object per line; its name ends in .json and does not begin with
    _ or a dot.
    """
    lab = _lab()
    landed = lab.send(*files, rows=rows, count=count, seed=seed, until=until.date() if until else None)
    for key in landed.keys:
        click.echo(f"s3://{landed.bucket}/{key}")
    click.echo(
        f"{landed.rows} rows landed in {landed.files} files" if landed.files > 1 else f"{landed.rows} rows landed"
    )
    if wait:
        click.echo(lab.follow(landed))


@cli.command()
def redrive() -> None:
    """Retry the events that were given up. It sends them back to the retry queue; labkit status shows them."""
    letters = _lab().reliability.redrive()
    for letter in letters:
        click.echo(f"{letter.key}: {letter.reason}")
    click.echo(f"{len(letters)} sent back." if letters else "No event was given up: nothing to send back.")


@cli.command()
@click.argument("sql")
@click.option("--json", "form", flag_value="json", help="Print one JSON list of objects.")
@click.option("--csv", "form", flag_value="csv", help="Print CSV with a header.")
def query(sql: str, form: str | None) -> None:
    """Run one SQL statement in Redshift. It goes through the Data API. If SQL is -, it is read from stdin."""
    result = _lab().query(sys.stdin.read() if sql == "-" else sql)
    if form == "json":
        click.echo(result.to_json(orient="records", date_format="iso"))
    elif form == "csv":
        click.echo(result.to_csv(index=False), nl=False)
    elif len(result.columns):
        click.echo(result.to_string(index=False))
    else:
        click.echo("Done; the statement returns no rows.")


@cli.command()
@click.argument("what", default="server", metavar="[WHAT]")
@click.option("-n", "--lines", default=50, show_default=True, type=click.IntRange(1), help="Number of lines to show.")
@click.option("-f", "--follow", is_flag=True, help="Go on with what is written from now on, until Ctrl-C.")
def logs(what: str, lines: int, follow: bool) -> None:
    """Show a log's last lines.

    WHAT: server (the local AWS itself), job, start, workflow (of the delivery in use), crawler, generator, or the name
    of any crawler, Glue job, Lambda function or workflow, with or without the lab's prefix. For a job or a
    workflow, this shows the last run.
    """
    lab = _lab()
    if follow:
        from labkit.tools.tail import tail

        tail(lab, what, lines, click.echo)
    for line in deque(lab.logs(what, lines), maxlen=lines):
        click.echo(line.rstrip("\n"))


def _delivery_in_use(lab: Any) -> dict[str, str]:
    """Return the delivery in use, and its workflow, job and start function (the described delivery's if none is)."""
    if not lab.session.status().running:
        return {"delivery": "unknown: the local AWS is not running"}
    delivery = lab.delivery
    own = DeliveryNames.of(delivery or Delivery.AS_DESCRIBED, lab.names)
    return {
        "delivery": delivery or "none",
        "workflow": own.workflow,
        "job": own.job,
        "start_function": own.start_function,
    }


def _print_json(value: Any) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


cli.add_command(jupyter.lab)
cli.add_command(progress)
cli.add_command(running.run)
cli.add_command(runs)
cli.add_command(watch)

if __name__ == "__main__":
    main()
