"""Operations that are in no table are refused: all operations of botocore's models are called."""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor

import botocore.session
import pytest

from localaws.core.operations import vouching
from localaws.server.models import models_of
from tests.localaws.server.asking_everything import Answers
from tests.localaws.server.searching import ask, work_in


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProcessPoolExecutor]:
    """A process with an embedded AWS of its own: moto's backends are there once a process."""
    directory = tmp_path_factory.mktemp("everything")
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), work_in, (directory,)) as pool:
        yield pool


def check(answers: Answers) -> None:
    assert not answers.answered
    assert not answers.unnamed
    assert answers.refused["501"] > 0.9 * answers.refused.total(), answers.refused


@pytest.mark.refused("In general")
def test_an_operation_that_is_in_no_table_is_refused_by_name(elsewhere: ProcessPoolExecutor) -> None:
    known = [models_of(service)[0].service_name for service in vouching.services()]
    answers = elsewhere.submit(ask, known).result()
    check(answers)
    assert answers.refused.total() > 1000


@pytest.mark.nightly
def test_an_operation_of_any_service_that_is_in_no_table_is_refused_by_name(elsewhere: ProcessPoolExecutor) -> None:
    answers = elsewhere.submit(ask, botocore.session.get_session().get_available_services()).result()
    check(answers)
    assert answers.refused.total() > 10_000
