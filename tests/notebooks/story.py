"""The notebooks' names, in the order in which they are run."""

from __future__ import annotations

NAMES = (
    "00_start", "01_network", "02_redshift", "03_secrets", "04_crawlers",
    "05_job", "06_workflow", "07_notification", "08_query", "09_reliability", "10_cleanup",
)  # fmt: skip
