"""The Data API's statements as the state keeps them: those that ended are pickled once."""

import pickle
from unittest.mock import MagicMock

import pytest

from localaws.core import context
from localaws.redshift.data_api.access import Access
from localaws.redshift.data_api.execution import Execution
from localaws.redshift.data_api.statements import Statement, Status, SubStatement


@pytest.fixture
def statement() -> Statement:
    made = Statement("1", Access("cluster", "dev"), [SubStatement("1", "select 1")], is_batch=False, name="first")
    made.become(Status.STARTED)
    return made


def test_a_statement_that_runs_is_saved_as_it_is_now(statement: Statement) -> None:
    pickle.dumps(statement)
    statement.become(Status.FINISHED)
    assert pickle.loads(pickle.dumps(statement)) == statement


def test_a_statement_that_has_ended_is_saved_with_all_that_it_has(statement: Statement) -> None:
    statement.parts[0].error = statement.error = "ERROR: no"
    statement.become(Status.FAILED)
    statement.duration = 17
    statement.freeze()
    again = pickle.loads(pickle.dumps(statement))
    assert again == statement
    assert again.describe() == statement.describe()


def test_what_was_read_from_the_state_is_not_pickled_anew(
    statement: Statement, monkeypatch: pytest.MonkeyPatch
) -> None:
    statement.become(Status.FINISHED)
    statement.freeze()
    again = pickle.loads(pickle.dumps(statement))
    monkeypatch.setattr(SubStatement, "__reduce_ex__", lambda *_: pytest.fail("a part was pickled"))
    assert pickle.loads(pickle.dumps(again)) == statement


def test_an_execution_that_has_ended_leaves_a_statement_that_is_pickled_once(
    statement: Statement, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Execution, "_work", lambda _: None)
    monkeypatch.setattr(context, "current", MagicMock())
    running = Execution(statement, "us-east-1")
    running.start()
    assert running.finished.wait(60)
    assert pickle.loads(pickle.dumps(statement)) == statement
    assert statement.status is Status.FINISHED
    monkeypatch.setattr(SubStatement, "__reduce_ex__", lambda *_: pytest.fail("a part was pickled"))
    assert pickle.loads(pickle.dumps(statement)) == statement
