"""The notebooks' tasks: what to do, two hints, a solution, and a judge that looks at the target.

>>> from labkit import check
>>> check("02.1", answer)   # a task that asks for an answer
>>> check("01.2")           # a task that makes something on the target

A module per notebook holds its tasks in a list `TASKS` (`start.py`, `network.py`, …); `registry.py` knows all of them.
"""
