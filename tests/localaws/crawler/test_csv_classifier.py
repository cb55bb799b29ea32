"""The built-in CSV classifier: https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html#classifier-builtin-rules"""

from __future__ import annotations

import bz2
import gzip

import pytest

from localaws.glue.crawlers.csv_classifier import Csv, classify
from localaws.glue.crawlers.formats import FIRST_BYTES, Look, look_at
from localaws.glue.crawlers.schema import hive_type


def look(text: str | bytes) -> Look:
    body = text.encode() if isinstance(text, str) else text
    return look_at(body[:FIRST_BYTES], len(body))


def types(text: str | bytes) -> dict[str, str]:
    return {name: hive_type(kind) for name, kind in look(text).schema}


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize("delimiter", [",", "|", "\t", ";", "\x01"])
def test_the_delimiter_of_csv_is_a_comma_pipe_tab_semicolon_or_Ctrl_A(delimiter: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    found = look(f"id{delimiter}town\n1{delimiter}Bern\n2{delimiter}Rom\n")
    assert (found.classification, found.delimiter, found.header) == ("csv", delimiter, True)


def test_no_other_delimiters_are_recognised() -> None:
    assert look("id:town\n1:Bern\n2:Rom\n").classification == "UNKNOWN"
    assert look("id town\n1 Bern\n2 Rom\n").classification == "UNKNOWN"


@pytest.mark.as_on_aws("Glue crawlers")
def test_spaces_around_column_names_are_removed_and_spaces_within_them_are_kept() -> None:
    """AWS's example: the header `` Total Discharges `` makes the column ``total discharges``
    (https://docs.aws.amazon.com/glue/latest/dg/aws-glue-programming-python-samples-medicaid.html).
    """
    assert types('id, Total Discharges ,\tfee\n1,2,"3.5"\n') == {
        "id": "bigint",
        "Total Discharges": "bigint",
        "fee": "double",
    }
    assert types('"id" ," town"\n1,Bern\n') == {"id": "bigint", "town": "string"}


@pytest.mark.as_on_aws("Glue crawlers")
def test_every_column_name_of_a_header_except_the_last_is_shorter_than_150_characters() -> None:
    """ "Except for the last column, every column in a potential header has content that is fewer than 150 characters":
    https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html
    """
    assert look(f"{'n' * 149},x\n1,2\n").header
    assert not look(f"{'n' * 150},x\n1,2\n").header
    assert look(f"x,{'n' * 200}\n1,2\n").header
    assert list(types(f"x,{'n' * 200}\n1,2\n")) == ["x", "n" * 200]


@pytest.mark.as_on_aws("Glue crawlers")
def test_every_name_of_a_header_has_to_be_a_valid_column_name() -> None:
    """1 to 255 characters, without line breaks: https://docs.aws.amazon.com/glue/latest/webapi/API_Column.html"""
    assert not look(f"x,{'n' * 256}\n1,2\n").header
    assert not look('x,"two\nlines"\n1,2\n').header
    assert not look("x,bell\x07\n1,2\n").header
    assert look("x,Überfahrt (€) 🚗\n1,2\n").header


@pytest.mark.simplified("Glue crawlers", "AWS does not document the name of the column without a name")
def test_the_last_column_may_be_empty_throughout_to_allow_for_a_trailing_delimiter() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    assert types("id,town,\n1,Bern,\n2,Rom,\n") == {"id": "bigint", "town": "string", "col2": "string"}
    assert look("id,town, \n1,Bern, \n2,Rom,\n").header
    assert not look("id,town,\n1,Bern,x\n2,Rom,\n").header
    assert not look("id,,town\n1,,Bern\n2,,Rom\n").header


@pytest.mark.as_on_aws("Glue crawlers")
@pytest.mark.parametrize("first", ["id,2", "id,0.5", "id,true", "id,-1e3"])
def test_every_value_of_a_header_row_is_a_string(first: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    assert not look(f"{first}\n1,2\n3,4\n").header


@pytest.mark.as_on_aws("Glue crawlers")
def test_the_first_row_is_a_header_if_a_column_of_the_data_is_not_a_string() -> None:
    """ "If all columns are of type STRING, then the first row of data is not sufficiently different from subsequent
    rows": https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html
    """
    assert look("name,ok\nx,true\ny,false\n").header
    assert not look("name,town\nx,Bern\ny,Rom\n").header
    assert not look("name,code\nx,1\ny,abc\n").header
    assert not look("name,note\nx,\ny,\n").header
    without = types("name,town\nx,Bern\n")
    assert without == {
        "col0": "string",
        "col1": "string",
    }  # as crawled tables in public have it; the page counts from 1


@pytest.mark.simplified("Glue crawlers", "AWS documents no rule for duplicate names")
@pytest.mark.parametrize("first", ["id,id", "Id,id", "id, id"])
def test_a_row_with_a_duplicate_name_is_not_a_header(first: str) -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    assert types(f"{first}\n1,2\n") == {"col0": "string", "col1": "string"}


@pytest.mark.simplified("Glue crawlers", "AWS documents the types, not how they are recognised")
def test_a_value_counts_as_a_number_if_a_job_reads_it_as_a_number() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""

    def kind(*values: str) -> str:
        return types("".join(f"{value},1\n" for value in values * 2))["col0"]

    assert kind("1", "-2", "+3", " 4 ") == "bigint"
    assert kind("1", "0.5", "1e5", ".5", "-1.") == "double"
    assert kind("1", "NaN") == kind("-Infinity", "2") == "double"
    assert kind("true", "False") == "boolean"
    assert kind("1_000", "2_000") == kind("nan") == kind("inf") == kind("1", "x") == kind("١", "٢") == "string"
    assert kind("9223372036854775807") == "bigint"
    assert kind("9223372036854775808") == kind("9" * 10_000) == "string"  # no type of a column holds it


def test_the_column_types_are_inferred_from_all_rows_that_are_read() -> None:
    rows = "".join(f"{number},{number}\n" for number in range(5000))
    assert types(rows + "5000,x\n") == {"col0": "bigint", "col1": "string"}
    assert types("id,n\n" + rows + "5000,x\n")["n"] == "string"


@pytest.mark.as_on_aws("Glue crawlers")
def test_quoted_fields_may_contain_delimiters_quotes_and_line_breaks() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/add-classifier.html"""
    found = look('id,town\n1,"Bern, BE"\n2,"say ""hi"""\n3,"two\nlines"\n')
    assert (found.header, found.quoted, found.records) == (True, True, 3)
    assert {name: hive_type(kind) for name, kind in found.schema} == {"id": "bigint", "town": "string"}


@pytest.mark.simplified("Glue crawlers", "AWS does not document the meaning of areColumnsQuoted")
def test_the_columns_count_as_quoted_if_any_field_is_quoted() -> None:
    """https://docs.aws.amazon.com/glue/latest/dg/table-properties-crawler.html"""
    assert look('1,"x"\n2,y\n').quoted
    assert not look('1,5" wheels\n2,y\n').quoted


def test_a_byte_order_mark_is_not_part_of_the_first_column_name() -> None:
    assert list(types("\ufeffid,town\n1,Bern\n")) == ["id", "town"]


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_usual_way_and_blank_lines_are_not_rows(ending: str) -> None:
    found = look(ending.join(["id,town", "1,Bern", "", "  ", "2,Rom", ""]))
    assert (found.classification, found.header, found.records) == ("csv", True, 2)


def test_other_characters_that_some_programs_treat_as_line_ends_are_part_of_a_value() -> None:
    found = look("id,town\n1,a\u2028b\x0bc\x85d\n2,Rom\n")
    assert (found.classification, found.records) == ("csv", 2)


def test_a_file_that_is_cut_off_within_a_character_or_a_quoted_field_is_still_csv() -> None:
    row = '1,"über\nBern"\n'.encode()
    body = b"id,town\n" + row * 4000
    half = len(body) // 2
    for cut in range(half, half + len(row)):
        found = look_at(body[:cut], len(body))
        assert (found.classification, found.header) == ("csv", True), cut
        assert found.records == pytest.approx(4000, rel=0.01)


@pytest.mark.parametrize("pack", [gzip.compress, bz2.compress])
def test_compressed_csv_is_csv(pack: object) -> None:
    found = look(pack(b"id\ttown\n1\tBern\n2\tRom\n"))  # type: ignore[operator]
    assert (found.classification, found.delimiter, found.header, found.records) == ("csv", "\t", True, 2)
    assert found.compression in ("gzip", "bzip2")


def test_only_the_first_1000_rows_have_to_have_the_same_width() -> None:
    rows = [f"{number},x" for number in range(2000)]
    for odd, is_csv in ((0, False), (1, False), (998, False), (999, False), (1000, True), (1001, True)):
        text = "\n".join([*rows[:odd], "a,b,c", *rows[odd + 1 :]])
        found = classify(text)
        assert (found is not None) is is_csv, odd
        if found:
            assert (found.rows, list(found.schema.values())) == (2000, ["bigint", "string"])


def test_the_last_row_of_a_partial_read_may_be_cut_off() -> None:
    text = "id,n\n1,2\n3"
    assert classify(text) is None
    found = classify(text, complete=False)
    assert found is not None
    assert (found.rows, found.schema) == (2, {"id": "bigint", "n": "bigint"})
    assert classify("id,n\n1,2\n3\n4", complete=False) is None  # the row before it is whole
    quoted = classify('id,n\n1,"2"\n3,"x', complete=False)
    assert quoted is not None
    assert (quoted.rows, quoted.schema) == (1, {"id": "bigint", "n": "bigint"})


@pytest.mark.parametrize("text", ["a,b\0\n1,2\n", '{"a", "b"}\n1,2\n', " \n[1,2]\n3,4\n", "", "\n", "a,b\n", "a\nb\n"])
def test_text_of_another_format_and_text_that_is_too_short_are_not_csv(text: str) -> None:
    assert classify(text) is None


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("a,b|c\n1,2|3\n", ","),
        ("a,b|c\n1|3\n", "|"),
        ("a,b;c\td\n1;2\t3\n", "\t"),
        ("a|b;c\n1;2\n", ";"),
    ],
)
def test_the_first_delimiter_that_gives_rows_of_the_same_width_is_used(text: str, delimiter: str) -> None:
    found = classify(text)
    assert found is not None
    assert found.delimiter == delimiter


def test_without_a_header_the_first_row_is_data_and_columns_are_numbered_from_0() -> None:
    assert classify("0.5,a,\n1,b,\n") == Csv(",", False, False, {"col0": "double", "col1": "string", "col2": "void"}, 2)
    assert classify("x,1\n1,2\n") == Csv(",", False, False, {"col0": "string", "col1": "bigint"}, 2)
    assert classify("n,m\n1,2\n") == Csv(",", True, False, {"n": "bigint", "m": "bigint"}, 1)


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ('"x",1\n"y",2\n', True),
        ('x,1\n"y",2\n', True),
        ('x,1\r"y",2\r', True),
        ('1,x\n2,"y"\n', True),
        ('1,x\n2,|"y"\n', False),
        ('1,x\n2,y"\n', False),
    ],
)
def test_a_quoted_field_starts_at_the_beginning_of_a_line_or_after_a_delimiter(text: str, quoted: bool) -> None:
    found = classify(text)
    assert found is not None
    assert found.quoted is quoted


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("9223372036854775807", "bigint"),
        ("+9223372036854775807", "bigint"),
        ("-9223372036854775808", "bigint"),
        ("9223372036854775808", "string"),
        ("-9223372036854775809", "string"),
        ("99999999999999999999", "string"),
        ("0" * 30 + "1", "bigint"),
        ("0" * 30, "bigint"),
        ("-0", "bigint"),
        ("1e5", "double"),
        ("1E-5", "double"),
        ("5.", "double"),
        (".5", "double"),
        (".", "string"),
        ("+Infinity", "double"),
        ("TRUE", "boolean"),
        ("yes", "string"),
        ("", "void"),
    ],
)
def test_the_type_of_a_column_is_the_type_of_its_values(cell: str, kind: str) -> None:
    """A bigint has 8 bytes: https://docs.aws.amazon.com/athena/latest/ug/data-types.html"""
    found = classify(f"x,{cell}\ny,{cell}\n")
    assert found is not None
    assert list(found.schema.values()) == ["string", kind]
    found = classify(f"x,a\ny,{cell}\nz,{cell}\n")  # the cells alone, below a header
    assert found is not None
    assert found.header is (kind not in ("string", "void"))


def test_a_column_with_values_of_several_types_has_the_type_that_holds_them_all() -> None:
    found = classify("1,1,1,true,true\n,0.5,x,1,\n,,,,false\n")
    assert found is not None
    assert list(found.schema.values()) == ["bigint", "double", "string", "string", "boolean"]
