"""Two Lambda functions: one generates toll data, and one starts the workflow when data has landed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from labkit import needs, origins
from labkit.calls import found, retry
from labkit.errors import FunctionFailed
from labkit.show.display import Described, Fact, Removed
from labkit.steps.all_missing import names_all_missing
from labkit.steps.base import Step
from labkit.tools.packaging import code_hash, package


@dataclass(frozen=True)
class FunctionsMade(Described):
    """The two functions."""

    generator: str
    start: str
    runtime: str


@dataclass(frozen=True)
class FunctionSpec:
    """The settings that one function should have."""

    source: str
    """The file in `lambdas/`, without .py."""
    role: str
    memory: int  # MB
    timeout: int  # seconds
    environment: dict[str, str]


class Functions(Step[FunctionsMade]):
    """The zips are built from `lambdas/`. The functions get the lab's names only from their environment."""

    name = "functions"
    notebook = "00_start"
    makes = "two Lambda functions: one makes data, one starts the workflow"

    @names_all_missing
    def create(self) -> FunctionsMade:
        """Deploy both functions. A function whose code and settings are up to date is left alone."""
        self.lab.consent(self.name)
        for function, wanted in self._wanted().items():
            self.deploy(function, wanted)
        return self.describe()

    def deploy(self, function: str, wanted: FunctionSpec) -> None:
        """Create a function, or update it if its code or settings differ."""
        awslambda, code, settings = self.aws("lambda"), package(wanted.source), self._settings(wanted)
        there = found(awslambda.get_function_configuration, FunctionName=function)
        if there is None:
            self._create(function, code, settings)
            return
        if there["CodeSha256"] != code_hash(code):
            awslambda.update_function_code(FunctionName=function, ZipFile=code)
            awslambda.get_waiter("function_updated_v2").wait(FunctionName=function)
        if _differs(there, settings):
            awslambda.update_function_configuration(FunctionName=function, **settings)
            awslambda.get_waiter("function_updated_v2").wait(FunctionName=function)
        awslambda.tag_resource(Resource=there["FunctionArn"], Tags=self.config.new_tags)

    def describe(self) -> FunctionsMade:
        """The functions' names and runtime."""
        runtimes = {self._configuration(function)["Runtime"] for function in self._wanted()}
        names = self.names
        return FunctionsMade(names.generator_function, names.start_function, ", ".join(sorted(runtimes)))

    @names_all_missing
    def arn(self, function: str) -> str:
        """The function's ARN.

        Raises:
            MissingStep: it is not there yet.
        """
        return str(self._configuration(function)["FunctionArn"])

    def invoke(self, function: str, event: dict[str, Any]) -> dict[str, Any]:
        """Invoke the function, wait for it, and return its result.

        Raises:
            MissingStep: it is not there yet.
            FunctionFailed: the function raised.
        """
        self._configuration(function)
        answer = self.aws("lambda").invoke(FunctionName=function, Payload=json.dumps(event).encode())
        payload: dict[str, Any] = json.loads(answer["Payload"].read() or b"{}")
        if answer.get("FunctionError"):
            kind, words = payload.get("errorType", "an error"), payload.get("errorMessage", "without a message")
            raise FunctionFailed(function, str(kind), str(words), fix=needs.of_a_function(self.lab.session, function))
        return payload

    def facts(self) -> Iterator[Fact]:
        """Each function runs the code in `lambdas/`, with the right settings."""
        for function, wanted in self._wanted().items():
            yield from self.facts_of(function, wanted, self.fix)

    def facts_of(self, function: str, wanted: FunctionSpec, fix: str) -> Iterator[Fact]:
        """Yield the facts about one function: it exists and has the right code and settings. `fix` is the advice."""
        there = found(self.aws("lambda").get_function_configuration, FunctionName=function)
        yield Fact(there is not None, f"function {function} exists", fix)
        if there is not None:
            same = there["CodeSha256"] == code_hash(package(wanted.source))
            yield Fact(same, f"function {function} runs the code in lambdas/{wanted.source}.py", fix)
            as_set = not _differs(there, self._settings(wanted))
            yield Fact(as_set, f"function {function} has its role, environment and limits", fix)

    def destroy(self) -> Removed:
        """Delete both functions and their log groups."""
        gone = [item for function in self._wanted() for item in self.delete(function)]
        return Removed(self.name, tuple(gone))

    def delete(self, function: str) -> Iterator[str]:
        """Delete a function and its log group, and yield what was deleted."""
        if found(self.aws("lambda").get_function_configuration, FunctionName=function):
            self.aws("lambda").delete_function(FunctionName=function)
            yield f"function {function}"
        group = f"/aws/lambda/{function}"
        groups = self.aws("logs").describe_log_groups(logGroupNamePrefix=group)["logGroups"]
        if any(item["logGroupName"] == group for item in groups):
            self.aws("logs").delete_log_group(logGroupName=group)
            yield f"log group {group}"

    def _wanted(self) -> dict[str, FunctionSpec]:
        names = self.names
        return {
            names.generator_function: FunctionSpec(
                "toll_plaza_application", names.generator_role, 256, 60, {"LANDING_BUCKET": names.landing_bucket}
            ),
            names.start_function: FunctionSpec(
                "start_workflow_function", names.start_role, 128, 15, {"WORKFLOW_NAME": names.workflow}
            ),
        }

    def _settings(self, wanted: FunctionSpec) -> dict[str, Any]:
        return {
            "Role": self.lab.roles.arn(wanted.role),
            "Handler": f"{wanted.source}.lambda_handler",
            "Runtime": self.config.runtime,
            "MemorySize": wanted.memory,
            "Timeout": wanted.timeout,
            "Environment": {"Variables": wanted.environment},
        }

    def _create(self, function: str, code: bytes, settings: dict[str, Any]) -> None:
        awslambda = self.aws("lambda")

        def create() -> None:
            awslambda.create_function(
                FunctionName=function, Code={"ZipFile": code}, Tags=self.config.new_tags, **settings
            )

        # The role is new, and Lambda may not know it yet.
        retry(f"function {function}", create, "cannot be assumed by Lambda", config=self.config)
        awslambda.get_waiter("function_active_v2").wait(FunctionName=function)

    def _configuration(self, function: str) -> dict[str, Any]:
        there: dict[str, Any] | None = found(self.aws("lambda").get_function_configuration, FunctionName=function)
        if there is None:
            raise origins.missing(self.names, "Function", function, self.name)
        return there


def _differs(there: dict[str, Any], settings: dict[str, Any]) -> bool:
    return any(there.get(name) != value for name, value in settings.items())
