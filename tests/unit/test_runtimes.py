"""What functions and jobs can import, and what they can't."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from localaws.core import runtimes


def python(directory: Path, code: str) -> subprocess.CompletedProcess[str]:
    """Run `code` as a worker would: no site-packages, only `directory` on the path."""
    program = f"import sys; sys.path.append({str(directory)!r})\n{code}"
    command = [sys.executable, "-I", "-S", "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def function_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runtimes.link_packages(tmp_path_factory.mktemp("runtimes"), "function", runtimes.FUNCTION_PACKAGES)


@pytest.fixture(scope="module")
def job_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return runtimes.link_packages(tmp_path_factory.mktemp("runtimes"), "job", runtimes.JOB_PACKAGES)


def test_a_function_can_import_boto3_and_the_runtime_client(function_directory: Path) -> None:
    result = python(function_directory, "import boto3, awslambdaric.bootstrap; boto3.client")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("module", ["faker", "moto", "pandas", "labkit", "localaws", "pyspark", "orjson"])
def test_a_function_cannot_import_modules_that_it_did_not_package(function_directory: Path, module: str) -> None:
    result = python(function_directory, f"import {module}")
    assert f"ModuleNotFoundError: No module named '{module}'" in result.stderr


def test_a_job_can_import_spark_pandas_and_the_redshift_driver(job_directory: Path) -> None:
    result = python(job_directory, "import pyspark, py4j, boto3, numpy, pandas, pyarrow, redshift_connector")
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("module", ["faker", "moto", "labkit", "localaws", "duckdb", "jupyterlab"])
def test_a_job_cannot_import_modules_that_only_the_lab_has(job_directory: Path, module: str) -> None:
    result = python(job_directory, f"import {module}")
    assert f"ModuleNotFoundError: No module named '{module}'" in result.stderr


def test_linking_twice_gives_the_same_directory(tmp_path: Path) -> None:
    first = runtimes.link_packages(tmp_path, "function", ["boto3"])
    assert runtimes.link_packages(tmp_path, "function", ["boto3"]) == first
    assert [path.name for path in tmp_path.iterdir()] == [first.name]


def test_a_missing_package_is_named_in_the_error(tmp_path: Path) -> None:
    with pytest.raises(runtimes.RuntimePackageMissing, match="no-such-package"):
        runtimes.link_packages(tmp_path, "function", ["no-such-package"])
