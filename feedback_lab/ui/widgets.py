"""Small parts that all pages share. What strangers wrote goes only through `plain`, `quote`, `facts`, `notice`, tables.

Almost every label in Streamlit is Markdown, and no escaping of it is complete (links are found in the text
after the escapes are gone). So what people wrote is shown with `st.text`, which knows no markup, and the
sentences that we write ourselves hold no word of theirs.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

import pandas as pd
import streamlit as st
from pandas.io.formats.style import Styler

from feedback_lab.published_text import reveal
from feedback_lab.ui import words
from feedback_lab.ui.state import page
from feedback_lab.ui.theme import TEXT_WIDTH

ROW_HEIGHT = 34  # px, of a table
FOLD_CHARACTERS, FOLD_LINES = 700, 12
MOST_CHARACTERS = 50_000  # what one page sends to the browser for one text, when all of it is asked for
NOTICES = {
    "error": ":orange[:material/error:]",
    "info": ":gray[:material/info:]",
    "done": ":green[:material/check_circle:]",
    "attention": ":orange[:material/flag:]",
}


def heading(question: str, sentence: str) -> None:
    """The page's one question, small, and its answer in a sentence with a figure. Our own words only."""
    with st.container(gap=None):
        st.caption(question)
        st.markdown(f"### {sentence}", anchors=False)


def subheading(text: str) -> None:
    """The name of a part of the page. Our own words only."""
    st.markdown(f"#### {text}", anchors=False)


def notice(kind: str, text: str) -> None:
    """A message whose text may hold what a stranger wrote (an error that quotes a file, a title): shown as it is."""
    with st.container(border=True, horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(NOTICES[kind], width="content")
        st.text(reveal(text), width="stretch")


def plain(text: str | None, key: str, *, width: int | str = TEXT_WIDTH) -> None:
    """A stranger's text as it is, invisible characters made visible; a long one folds after some lines."""
    shown = reveal(text or "")
    if not shown.strip():
        st.caption("(empty)")
        return
    if not is_long(shown):
        st.text(shown, width=width)  # type: ignore[arg-type]
        return
    if st.toggle(f"Show all {len(shown):,} characters", key=f"all_{key}"):
        st.text(shown[:MOST_CHARACTERS], width=width)  # type: ignore[arg-type]
        if len(shown) > MOST_CHARACTERS:
            st.caption(f"The first {MOST_CHARACTERS:,} characters; the export holds all of them.")
    else:
        st.text(folded(shown), width=width)  # type: ignore[arg-type]


def title(text: str, key: str) -> None:
    """A title made of strangers' words: plain text, in the size of a heading."""
    with st.container(key=f"title_{key}"):
        st.text(reveal(text))


def is_long(text: str) -> bool:
    return len(text) > FOLD_CHARACTERS or text.count("\n") >= FOLD_LINES


def folded(text: str) -> str:
    """The start of a long text, as much as a page shows unasked."""
    lines = "\n".join(text.split("\n")[:FOLD_LINES])
    return lines[:FOLD_CHARACTERS].rstrip() + " …"


def quote(text: str, key: str, note: str = "") -> None:
    """One comment of a user, in a card of its own; `note` is ours and stands below it."""
    with st.container(border=True, gap="xxsmall"):
        plain(text, key)
        if note:
            st.caption(note)


def empty_state(icon: str, sentence: str, link: str | None = None, label: str = "") -> None:
    """What a page says when it has nothing to show: why, and the one thing to do first."""
    with st.container(border=True, horizontal_alignment="center", gap="small"):
        st.space("small")
        st.markdown(f"## :gray[:material/{icon}:]", width="content", anchors=False)
        st.markdown(sentence, width="content", text_alignment="center")
        if link:
            st.page_link(page(link), label=f"**{label}**", icon=":material/arrow_forward:")
        st.space("small")


def how_counted(lines: Iterable[str]) -> None:
    """The note that every figure has: what is counted and how. Our own words only."""
    with st.popover("How counted", type="tertiary", icon=":material/help:"):
        for line in lines:
            st.caption(line)


def facts(pairs: Iterable[tuple[str, str | None]], key: str) -> None:
    """Names and values in one quiet line of plain text, values from anywhere; unknown ones are left out."""
    known = [f"{reveal(name)} {words.first_line(reveal(value), 120)}" for name, value in pairs if value]
    if known:
        with st.container(key=f"quiet_{key}"):
            st.text("  ·  ".join(known))


def table_height(rows: int, most: int) -> int | Literal["content"]:
    """The height of a table that shows all its rows, or at most so many pixels of them."""
    return "content" if ROW_HEIGHT * (rows + 1) <= most else most


def table(
    frame: pd.DataFrame, key: str, *, most: int = 320, columns: Mapping[str, Any] | None = None, **options: Any
) -> Any:
    """A table at most `most` px high, empty where nothing is known; `options` go to `st.dataframe`."""
    return st.dataframe(
        frame, key=key, hide_index=True, row_height=ROW_HEIGHT, height=table_height(len(frame), most), placeholder="",
        column_config=dict(columns or {}), **options,
    )  # fmt: skip


def pick_list(
    frame: pd.DataFrame | Styler, name: str, ids: Sequence[str], chosen: str | None, on_pick: Callable[[str], None], *,
    height: int | Literal["content"], columns: Mapping[str, Any],
) -> None:  # fmt: skip
    """A table of one row an id; a click anywhere in a row calls `on_pick` with its id. The row of `chosen` is marked.

    The mark is set in every run: the address may have changed by a link or by the browser's back button.
    """
    key = f"{name}_{hash(tuple(ids))}"

    def pressed() -> None:
        selection = st.session_state[key]["selection"]
        cells = selection.get("cells") or []
        rows = [cells[0][0]] if cells else selection["rows"]
        if rows and ids[rows[0]] != chosen:  # the mark itself comes back as a selection too
            on_pick(ids[rows[0]])

    st.session_state[key] = {"selection": {"rows": [ids.index(chosen)] if chosen in ids else []}}
    st.dataframe(
        frame, key=key, hide_index=True, on_select=pressed, selection_mode=["single-row", "single-cell"],
        row_height=ROW_HEIGHT, height=height, placeholder="", column_config=dict(columns),
    )  # fmt: skip


def marker_list(markers: Sequence[tuple[datetime, str]], key: str) -> None:
    """The markers of a chart in words, folded: in the chart, labels that would overlap are left out."""
    if markers:
        with st.expander(words.count(len(markers), "marker"), key=f"markers_{key}", type="compact"):
            st.text("\n".join(f"{words.day(moment)}  {reveal(label)}" for moment, label in markers))
