from __future__ import annotations

import gzip
import json
import time

import pytest

from actiseg_data.core.documents import (
    Cursor,
    collect_valid,
    read_csv,
    read_json,
)
from actiseg_data.core.errors import InputError, Problem, ProblemCollector, refuse
from actiseg_data.core.file_reading import read_bytes
from actiseg_data.core.names import check_name


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "non-empty"),
        (None, "non-empty"),
        (3, "non-empty"),
        (["a"], "non-empty"),
        ("..", "outside the folder"),
        (".", "outside the folder"),
        ("a/b", "separator"),
        ("/a", "separator"),
        ("..\\a", "separator"),
        ("a\0b", "control character"),
        ("a\nb", "control character"),
        ("a\x7f", "control character"),
        ("CON", "reserved"),
        ("nul.png", "reserved"),
        ("com1.txt", "reserved"),
        ("LPT9", "reserved"),
        ("com¹", "reserved"),
        ("a ", "space"),
        (" a", "space"),
        ("a.", "dot"),
        ("a" * 201, "longer than 200 bytes"),
        ("é" * 101, "longer than 200 bytes"),
        ("a\ud800", "Unicode"),
    ],
)
def test_names_that_are_no_safe_part_of_a_path_are_refused(name, says):
    with pytest.raises(InputError, match=says) as refused:
        check_name(name, "sequence", "train.json")
    (problem,) = refused.value.problems
    assert problem.where == "train.json"
    assert "sequence name" in problem.what
    assert problem.what.isprintable()


@pytest.mark.parametrize(
    "name",
    [
        "00000009_P01_01_take_board:cutting",
        "put-into_bag:cereal",
        "naïve 茶",
        "a" * 200,
        "é" * 100,
        ".hidden",
        "a..b",
        "console",
        "com10",
        "a b",
    ],
)
def test_published_and_harmless_names_pass_unchanged(name):
    assert check_name(name, "sequence", "train.json") == name


PACKED = gzip.compress(b'{"a": 1}')
DOCUMENTS = {
    "truncated": ("a.json", b'{"a": [1, 2', "line 1, column"),
    "empty": ("a.json", b"", "not valid JSON"),
    "two documents": ("a.json", b"{} {}", "not valid JSON"),
    "NaN": ("a.json", b'{"a": NaN}', "NaN is not finite"),
    "Infinity": ("a.json", b"[-Infinity]", "Infinity is not finite"),
    "number too large": ("a.json", b'{"a": 1e999}', "1e999 is not finite"),
    "key twice": ("a.json", b'{"x": {"1": 0, "2": 0, "1": 1}}', "'1' occurs twice"),
    "nested 100,000 deep": ("a.json", b"[" * 100_000, "nests too deeply"),
    "objects nested 100,000 deep": ("a.json", b'{"a":' * 100_000, "nests too deeply"),
    "Latin-1": ("a.json", '{"a": "café"}'.encode("latin-1"), "not UTF-8"),
    "picture": ("a.json", b"\x89PNG\r\n\x1a\n" + bytes(range(256)), "not UTF-8"),
    "truncated gzip": ("a.json.gz", PACKED[:-9], "damaged or truncated"),
    "gzip without its end": ("a.json.gz", PACKED[:-8], "damaged or truncated"),
    "damaged gzip": ("a.json.gz", PACKED[:10] + b"\xff\xff" + PACKED[12:], "damaged or truncated"),
    "no gzip": ("a.json.gz", b'{"a": 1}', "damaged or truncated"),
    "gzip of no JSON": ("a.json.gz", gzip.compress(b"hello"), "not valid JSON"),
}


@pytest.mark.parametrize(("name", "data", "says"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_damaged_json_is_refused_by_name(tmp_path, name, data, says):
    path = tmp_path / name
    path.write_bytes(data)
    with pytest.raises(InputError, match=says) as refused:
        read_json(path)
    assert [problem.where for problem in refused.value.problems] == [str(path)]


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"the recipe is missing"):
        read_json(tmp_path / "absent.json", "recipe")
    with pytest.raises(InputError, match="cannot be read"):
        read_json(tmp_path)


@pytest.mark.parametrize("name", ["a.json", "a.json.gz"])
def test_json_is_read_plain_and_packed(tmp_path, name):
    document = {"text": "café 茶", "numbers": [1, 2.5, -3e-3], "none": None, "nested": {"a": True}}
    data = json.dumps(document, ensure_ascii=False).encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    assert read_json(tmp_path / name) == document


@pytest.mark.parametrize("name", ["a.bin", "a.gz"])
def test_files_are_bounded_by_their_unpacked_size(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(gzip.compress(bytes(1000)) if name.endswith("gz") else bytes(1000))
    assert read_bytes(path, limit=1000) == bytes(1000)
    with pytest.raises(InputError, match="larger than 999 bytes"):
        read_bytes(path, limit=999)


def test_csv_rows_are_read_with_byte_order_mark_and_spaces_after_commas(tmp_path):
    path = tmp_path / "table.csv"
    path.write_bytes("\ufeffid, noun ,\"all\"\r\n1, thé ,\"['a', 'b']\"\r\n2, tea, x\r\n".encode())
    rows = read_csv(path, ("id", "all"))
    assert rows[0] == {"id": "1", "noun ": "thé ", "all": "['a', 'b']"}
    assert [row["id"] for row in rows] == ["1", "2"]


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"id,noun\n1,tea\n", "does not have the columns verb, all"),
        (b"", "does not have the columns id, verb, all"),
        (b"id,verb,all\n1,2,3\n4,5\n6\n", "incomplete rows: line 3, 4"),
        ("id,verb,all\n1,thé,3\n".encode("latin-1"), "not UTF-8"),
        (b"id,verb,all\n1," + b"x" * 200_000 + b",3\n", "not a CSV table"),
    ],
    ids=["missing columns", "empty", "short rows", "Latin-1", "endless field"],
)
def test_damaged_tables_are_refused(tmp_path, data, says):
    path = tmp_path / "table.csv"
    path.write_bytes(data)
    with pytest.raises(InputError, match=says):
        read_csv(path, ("id", "verb", "all"))


WRONG = {
    "as_integer": [1.5, -0.5, 1e16, 1e300, "1", True, None, [1]],
    "as_number": ["1", True, None, [], 10**400],
    "as_text": [
        1,
        None,
        [],
        "a\ud800",
        "a\nb",
        "\x1b[31m",
        "\0",
        "a\x80",
        "\x9f",
        "\u2028",
        "\u2029",
    ],
    "as_flag": [2, -1, "1", 0.0, 1.0, None],
    "as_mapping": [[], "a", None, 1],
}


@pytest.mark.parametrize(
    ("read", "value"), [(read, value) for read, values in WRONG.items() for value in values]
)
def test_values_of_another_type_are_refused_with_their_place(read, value):
    top = Cursor({"rows": [{"a": 0}, {"a": value}]}, "train.json")
    row = list(top["rows"].iterate_elements())[1]
    with pytest.raises(InputError, match="must be") as refused:
        getattr(row["a"], read)()
    (problem,) = refused.value.problems
    assert problem.where == "train.json: rows[1]: a"
    assert len(problem.what) < 120
    assert problem.what.isprintable()


def test_values_of_the_right_type_are_handed_back():
    top = Cursor({"i": 3, "f": 2.5, "t": "é", "yes": True, "one": 1, "no": 0, "list": [4]}, "x")
    assert top["i"].as_integer() == top["i"].as_number() == 3
    assert isinstance(top["i"].as_number(), float)
    assert top["f"].as_number() == 2.5
    assert top["t"].as_text() == "é"
    assert [top[name].as_flag() for name in ("yes", "one", "no")] == [True, True, False]
    assert [cursor.as_integer() for cursor in top["list"].iterate_elements()] == [4]
    assert {name: cursor.value for name, cursor in top.iterate_members()} == top.value
    assert "i" in top
    assert "j" not in top


@pytest.mark.parametrize(
    "look",
    [
        lambda top: top["absent"],
        lambda top: top["text"]["absent"],
        lambda top: "absent" in top["text"],
        lambda top: list(top["text"].iterate_elements()),
        lambda top: list(top.iterate_elements()),
        lambda top: list(top["text"].iterate_members()),
    ],
)
def test_missing_keys_and_wrong_containers_are_refused(look):
    with pytest.raises(InputError):
        look(Cursor({"text": "abc"}, "train.json"))


def test_gathering_keeps_what_is_good_and_every_problem():
    problems = ProblemCollector()
    items = list(Cursor([1, "a", 2, None], "list").iterate_elements())
    assert collect_valid(items, Cursor.as_integer, problems) == [1, 2]
    assert [problem.where for problem in problems.collected] == ["list[1]", "list[3]"]
    with pytest.raises(InputError) as refused:
        problems.raise_if_any()
    assert refused.value.problems == tuple(problems.collected)
    assert str(refused.value).count("\n") == 1


def test_problems_let_other_errors_pass():
    problems = ProblemCollector()
    with pytest.raises(KeyError), problems.collect():
        raise KeyError("bug")
    problems.raise_if_any()
    with problems.collect():
        raise refuse("is bad", "here", "mend it")
    assert problems.collected == [Problem("is bad", "here", "mend it")]


def test_a_repeated_key_among_many_is_found_at_once(tmp_path):
    members = ",".join(f'"{n}":0' for n in range(60_000))
    (tmp_path / "a.json").write_text(f'{{{members},"59999":1}}')
    begin = time.perf_counter()
    with pytest.raises(InputError, match="'59999' occurs twice"):
        read_json(tmp_path / "a.json")
    assert time.perf_counter() - begin < 5  # minutes, if every key were counted


@pytest.mark.parametrize("depth", [101, 900])
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}")])
def test_what_only_the_parser_can_follow_is_refused(tmp_path, depth, opening, closing):
    # Found by fuzzing: the parser followed, and the message that showed the value did not.
    path = tmp_path / "a.json"
    path.write_text(opening * depth + "0" + closing * depth)
    with pytest.raises(InputError, match="nests too deeply"):
        read_json(path)


def test_a_document_may_nest_a_hundred_deep(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"a":' * 50 + "[" * 50 + "]" * 50 + "}" * 50)
    assert list(read_json(path)) == ["a"]
    path.write_text("7")
    assert read_json(path) == 7


@pytest.mark.parametrize("mark", ["\u202a", "\u202e", "\u2066", "\u2069"])
def test_marks_that_show_text_in_another_order_are_refused(mark):
    # Such a name would stand in the path that a message shows.
    with pytest.raises(InputError, match="control character") as refused:
        check_name(f"cup{mark}gnp", "frame", "train.json")
    assert refused.value.problems[0].what.isprintable()
    with pytest.raises(InputError, match="control characters"):
        Cursor(f"cup{mark}", "train.json").as_text()
