"""What the pages share between runs: the lab, the addresses of the pages, who is reviewing, what just happened."""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from feedback_lab import serving
from feedback_lab.serving import Lab
from feedback_lab.store import Store

T = TypeVar("T")

# url_path -> title, icon; the file is pages/<url_path>.py
PAGES = {
    "overview": ("Overview", "monitoring"),
    "issues": ("Issues", "forum"),
    "review": ("Review", "rate_review"),
    "knowledge": ("Knowledge", "menu_book"),
    "upload": ("Upload", "upload_file"),
}


def lab() -> Lab:
    """The open lab of this process. Raises LabError where it cannot be opened."""
    return serving.open_lab()


def page(name: str) -> StreamlitPage:
    """A page by its address, for `st.navigation`, `st.page_link` and `st.switch_page`.

    Its path is absolute: with relative ones, Streamlit's first deep link would bypass the entry point.
    """
    title, icon = PAGES[name]
    path = serving.app_folder() / "pages" / f"{name}.py"
    return st.Page(path, title=title, icon=f":material/{icon}:", url_path=name, default=name == "overview")


def say(kind: str, text: str) -> None:
    """Keep a message for the next run of this session: a callback cannot write to the page itself."""
    kept = st.session_state.setdefault("said", [])
    if (kind, text) not in kept:
        kept.append((kind, text))


def said() -> list[tuple[str, str]]:
    """The messages kept by `say`, once."""
    kept: list[tuple[str, str]] = st.session_state.pop("said", [])
    return kept


def changes(store: Store | None = None) -> int:
    """The number of the last commit that changed figures: a key for caches, which are then right until the next."""
    return (store or lab().store).changes


def wrote() -> None:
    """Note that this session wrote something: from now on it sees no figures that do not count it."""
    st.session_state["own_commit"] = changes()


def last_own_commit() -> int:
    """The last commit that holds all that this session wrote; -1 where it wrote nothing."""
    return int(st.session_state.get("own_commit", -1))


def cached(name: str, key: tuple[Any, ...], make: Callable[[], T]) -> T:
    """`make()` once per `key` and change of the store in this session; the newest value of each name is kept."""
    stamp = (changes(), *key)
    kept = st.session_state.get(f"cache_{name}")
    if kept is None or kept[0] != stamp:
        kept = (stamp, make())
        st.session_state[f"cache_{name}"] = kept
    return cast(T, kept[1])
