"""Make the sample files again: run `python -m data` in the checkout."""

import json
import os
import sys
from datetime import date
from pathlib import Path

HERE = Path(__file__).resolve().parent
SEED, UNTIL, ROWS = 2023, date(2023, 8, 31), 100


def main() -> None:
    """Write both files."""
    sys.path.insert(0, str(HERE.parent / "lambdas"))
    os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
    from toll_plaza_application import transactions

    rows = list(transactions(ROWS, SEED, UNTIL))
    (HERE / "sample_data_toll_application.json").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (HERE / "sample_data_single_quoted.json").write_text("".join(f"{row}\n" for row in rows))


if __name__ == "__main__":
    main()
