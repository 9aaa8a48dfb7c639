"""Escaped text, read back by the parser of each format."""

import csv
import io
import re

import yaml
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from actiseg_noise.releases.contents.escaping import (
    escape_bibtex,
    escape_csv,
    escape_markdown,
    flatten_text,
    quote_block,
)
from actiseg_noise.releases.metadata.card import format_table

HOSTILE = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="<>|`*_[]()#-+=&\\{}%$~@!:\n\r\t 1.a\"'/", max_size=30),
    st.sampled_from(
        [
            *("<img src=x onerror=alert(1)>", "a|b|c", "- x", "1. x", "# x", "---", "{{ x }}"),
            *("![a](b)", "https://evil.example", "www.evil.example", "&lt;b&gt;", "``` x", "😀"),
        ]
    ),
)
PARSER = MarkdownIt("commonmark").enable("table")


def tokens(text):
    for token in PARSER.parse(text):
        yield token
        yield from token.children or ()


@given(HOSTILE)
@example("\\|")
def test_a_cell_is_one_cell_and_shows_the_text(text):
    found = list(tokens(format_table(("a", "b"), [(text, "end")])))
    assert sum(token.type == "td_open" for token in found) == 2
    shown = "".join(token.content for token in found if token.type.startswith("text"))
    assert shown == f"ab{flatten_text(text)}end"
    assert not [token for token in found if token.type.startswith(("html", "link", "image"))]


@given(HOSTILE)
def test_a_paragraph_stays_one_and_shows_the_text(text):
    found = list(tokens(f"before\n\n{escape_markdown(text)}\n\nafter"))
    kinds = {token.type for token in found}
    assert kinds <= {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}
    shown = [token.content for token in found if token.type in ("text", "text_special")]
    assert "".join(shown) == f"before{flatten_text(text)}after"


def test_addresses_do_not_become_links_on_github():
    assert "https:" not in escape_markdown("https://evil.example")
    assert "www." not in escape_markdown("www.evil.example")


@given(HOSTILE)
def test_a_block_ends_where_the_text_does(text):
    found = PARSER.parse(f"{quote_block(text)}\n\nafter")
    assert [token.type for token in found][:2] == ["fence", "paragraph_open"]


@given(HOSTILE)
def test_a_bibtex_field_has_balanced_braces_and_no_comment(text):
    escaped = re.sub(r"\\[{}%&_#$]", "", escape_bibtex(text))
    depth = 0
    for character in escaped:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    assert "%" not in escaped


@given(HOSTILE)
def test_a_csv_cell_is_no_formula_and_keeps_its_text(text):
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerow([escape_csv(text), "end"])
    cell, end = next(csv.reader(io.StringIO(stream.getvalue(), newline="")))
    assert cell in (flatten_text(text), f"'{flatten_text(text)}")
    assert cell[:1] not in ("=", "+", "-", "@")
    assert end == "end"


@given(HOSTILE)
def test_yaml_gives_flattened_text_back(text):
    flat = flatten_text(text)
    if flat.isprintable():
        assert yaml.safe_load(yaml.safe_dump({"title": flat}, allow_unicode=True)) == {
            "title": flat
        }
