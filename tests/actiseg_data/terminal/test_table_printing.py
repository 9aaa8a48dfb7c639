"""Tables and notes on terminals of any width."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from actiseg_data.terminal.messages import print_note
from actiseg_data.terminal.table_printing import print_table


class Terminal(io.StringIO):
    def isatty(self):
        return True


def printed(monkeypatch, columns, action, *arguments):
    """What an action prints on a terminal of so many columns."""
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr("sys.stdout", terminal)
        patch.setenv("COLUMNS", str(columns))
        patch.setenv("LINES", "25")
        patch.setenv("TERM", "dumb")
        action(*arguments)
    return terminal.getvalue()


def words_of(text):
    return set(re.sub("[\u2500-\u257f,]", " ", text).split())


words = st.text("ab1.-_/水", min_size=1, max_size=25)
texts = st.lists(words, min_size=1, max_size=4).map(" ".join)


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_table_is_wider_than_the_terminal_and_no_word_in_it_is_broken(data):
    count = data.draw(st.integers(1, 9))
    rows = st.lists(texts, min_size=count, max_size=count)
    title, columns = data.draw(texts), data.draw(rows)
    table = data.draw(st.lists(rows, min_size=1, max_size=3))
    with pytest.MonkeyPatch.context() as monkeypatch:
        for width in (60, 80, 133):
            text = printed(monkeypatch, width, print_table, title, columns, table)
            assert max(map(cell_len, text.splitlines())) <= width
            for row in ([title], columns[1:], *table):
                assert words_of(" ".join(row)) <= words_of(text)


def test_columns_that_do_not_fit_make_another_table_with_the_same_names(monkeypatch):
    columns = ["sequence", *(f"J at level {at}" for at in range(9))]
    row = ["00000004_P01_107_close_fridge", *(f"0.12345678{at}" for at in range(9))]
    text = printed(monkeypatch, 80, print_table, "many", columns, [row])
    assert text.count("00000004_P01_107_close_fridge") == 3
    assert text.count("many") == 1
    assert all(f"0.12345678{at}" in text for at in range(9))


def test_names_as_wide_as_the_terminal_stand_above_their_figures(monkeypatch):
    name = "a" * 79
    text = printed(monkeypatch, 80, print_table, "", ["sequence", "J", "F"], [[name, "1", "2"]])
    assert text.splitlines() == [name, "  J 1, F 2"]


def test_a_table_that_has_room_is_one_table(monkeypatch):
    columns, row = ["", "J ↑", "n-mIoU ↓"], ["all", "0.5000", "0.2500"]
    text = printed(monkeypatch, 40, print_table, "", columns, [row])
    assert "J ↑" in text
    assert text.count("all") == 1


def test_what_is_no_terminal_gets_every_column_in_one_table(capsys):
    columns = ["name", *(f"column {at}" for at in range(30))]
    print_table("wide", columns, [["x", *map(str, range(30))]])
    assert capsys.readouterr().out.count("name") == 1
    print_note("word " * 100)
    assert capsys.readouterr().out.count("\n") == 1


def test_notes_are_wrapped_between_words_and_paths_stay_whole(monkeypatch):
    path = "/a" * 60
    text = printed(monkeypatch, 30, print_note, f"intervals: 12 videos resampled, see {path}")
    assert text.splitlines() == ["intervals: 12 videos", "resampled, see", path]
