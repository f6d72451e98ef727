"""The entry point of the dashboard: every page runs through it, also on the first deep link of a fresh server.

It stands in a folder without `pages/` beside it, and names the pages by absolute paths; otherwise Streamlit
finds them by itself and runs them around this file.
"""

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from feedback_lab.errors import LabError
from feedback_lab.ui import background, state
from feedback_lab.ui.theme import CONTENT_WIDTH, STYLE
from feedback_lab.ui.widgets import notice

ICON = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">
<rect width="24" height="24" rx="6" fill="#4F46E5"/>
<path d="M7 16V9m5 7V6m5 10v-4" stroke="#fff" stroke-width="2.4" stroke-linecap="round"/></svg>"""


def show_said(place: DeltaGenerator) -> None:
    """The messages of the last press or of this run, above the page."""
    with place:
        for kind, text in state.said():
            notice(kind, text)


st.set_page_config(page_title="Feedback Lab", page_icon=ICON, layout="wide")
st.html(STYLE)
background.begin_run()
current = st.navigation([state.page(name) for name in state.PAGES], position="top")

with st.container(width=CONTENT_WIDTH, key="content"):
    try:
        opened = state.lab()
        if opened.store.damage:
            notice("error", opened.store.damage)
        if opened.unpublished:
            notice("attention", opened.unpublished)
        messages = st.container()
        show_said(messages)
        current.run()
        show_said(messages)  # what the page itself said while it ran
    except LabError as error:
        notice("error", str(error))
