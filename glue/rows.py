"""The rows of the landed files: reads them as text, judges each one, and counts them by file.

A *record* is a line that is not blank, or each element of a line that is a JSON array. Each record becomes one row:
either a good row, or a rejected row with its reason. No record is left out, so loaded + rejected = landed.
"""

from pyspark.sql import functions as F

# Redshift's columns in order (COPY maps columns by position), each with its type in the file and in the table.
MAPPINGS = [
    ("transaction_id", "string", "transaction_id", "bigint"),
    ("transaction_date", "string", "transaction_date", "string"),
    ("toll_booth", "string", "toll_booth", "string"),
    ("vehicle_make", "string", "vehicle_make", "string"),
    ("vehicle_category", "string", "vehicle_category", "string"),
    ("transaction_amount", "string", "transaction_amount", "double"),
]
FIELDS = [source for source, _, _, _ in MAPPINGS]
LARGEST_REAL = 3.4e38  # transaction_amount is a `real`: one larger value would fail the COPY of all rows
BLANKS = "".join(f"\\u{code:04x}" for code in range(0x21))  # a line that has only these characters is blank
LONGEST_TEXT = 256  # bytes in a Redshift `varchar` without a length; one longer value fails the COPY as well


def read_lines(glue_context, uris):
    """Return a DataFrame with every line of these files as text (col0), and the line's file (source_file).

    The files are read as lines, and not with create_dynamic_frame.from_catalog, because Glue's JSON reader doesn't keep
    a line that is not JSON: the line becomes an empty row, or fails the job. A CSV reader without quotes, and with a
    separator that JSON text can't contain (U+0001 must be escaped there), returns each line as it is.
    """
    lines = glue_context.create_dynamic_frame.from_options(
        connection_type="s3",
        connection_options={"paths": uris, "recurse": True},
        format="csv",
        format_options={"separator": "\u0001", "quoteChar": -1, "withHeader": False, "attachFilename": "source_file"},
    ).toDF()
    if "col0" not in lines.columns:  # a frame without rows has no columns
        return glue_context.spark_session.range(0).select(F.lit("").alias("col0"), F.lit("").alias("source_file"))
    return lines


def judge(lines):
    """Return one row for each record: its fields as text. A rejected row also has a `reason` and its line (`row`)."""
    # A line that begins with a visible character is not blank. This first test is enough for almost all lines.
    rows = (
        lines.where(f"col0 >= '!' or trim(both '{BLANKS}' from col0) != ''")
        .selectExpr("col0 as row", "source_file", f"explode({_records('col0')}) as record")
        .selectExpr(*(f"record['{field}'] as {field}" for field in FIELDS), "record is null as no_object",
                    "source_file", "row")
    )  # fmt: skip
    # Almost all rows are good, so most rows need only this condition.
    fine = " and ".join(fits(field, kind) for field, _, _, kind in MAPPINGS)
    complaints = ", ".join(complaint(field, kind) for field, _, _, kind in MAPPINGS)
    reason = (
        f"case when {fine} then null when no_object then 'not a JSON object' else concat_ws('; ', {complaints}) end"
    )
    rows = rows.selectExpr(*FIELDS, f"{reason} as reason", "source_file", "row")
    return rows.selectExpr(*FIELDS, "reason", "source_file", "if(reason is null, null, row) as row")


def _records(line):
    """SQL: the records of a line, as an array of maps. A record that is not a JSON object is null.

    Maps, because for structs, Spark 3.5 looks up the fields' defaults again for each object.
    """
    # Spark accepts single-quoted objects as JSON; the original sample has such objects. After an object, Spark ignores
    # the rest of the line, but inside brackets it can't. Two objects on one line are not JSON.
    objects = f"from_json(concat('[', {line}, ']'), 'array<map<string,string>>')"
    # A lambda with the parameter `found`, so that the text is parsed only once.
    one = f"transform(array({objects}), found -> if(size(found) = 1, found[0], null))"
    # Only strict JSON counts as an array, so that other programs that count records get the same number.
    strict = "map('allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false')"
    arrays = f"from_json(concat('[', {line}, ']'), 'array<array<string>>', {strict})"
    elements = "transform(found[0], each -> from_json(each, 'map<string,string>'))"
    nothing = "array(cast(null as map<string,string>))"
    many = f"transform(array({arrays}), found -> if(size(found) = 1, {elements}, null))[0]"
    is_array = f"startswith({line}, '[') or startswith({line}, ' ') and startswith(ltrim({line}), '[')"
    return f"if({is_array}, coalesce({many}, {nothing}), {one})"


def fits(field, kind):
    """SQL: whether the text of the field fits its column. NULL (the field is missing) counts as a failed check."""
    if kind == "bigint":
        # A cast alone would accept 1.5 and make it 1. \z is the very end; $ would also accept "1\n".
        return f"cast({field} as bigint) is not null and {field} rlike '^[+-]?[0-9]+\\\\z'"
    if kind == "double":
        return f"abs(cast({field} as double)) <= {LARGEST_REAL}D"
    return f"octet_length({field}) <= {LONGEST_TEXT} and not contains({field}, char(0))"


def complaint(field, kind):
    """SQL: why the text of the field doesn't fit its column; null if it does."""
    wrong = f"not coalesce({fits(field, kind)}, false)"
    if kind == "bigint":
        why = f"when {wrong} then concat('{field} is not a whole number: ', {field})"
    elif kind == "double":
        why = f"when {wrong} then concat('{field} is not a number that its column can hold: ', {field})"
    else:
        why = (
            f"when octet_length({field}) > {LONGEST_TEXT} then '{field} is longer than {LONGEST_TEXT} bytes'"
            f" when {wrong} then '{field} has a NUL character, which Redshift can\\'t hold'"
        )
    return f"case when {field} is null then '{field} is missing' {why} end"


def count(rows):
    """Return {source_file: (good rows, rejected rows)}."""
    by_file = rows.groupBy("source_file").agg(F.count("*").alias("all"), F.count("reason").alias("bad")).collect()
    return {found["source_file"]: (found["all"] - found["bad"], found["bad"]) for found in by_file}
