"""What a dropped file was taken for, why, and the ways to read it otherwise."""

from __future__ import annotations

import streamlit as st

from feedback_lab.ingest.planning.plan import Plan
from feedback_lab.ingest.reading.readers import Hints
from feedback_lab.published_text import reveal
from feedback_lab.ui import mapping, uploading
from feedback_lab.ui.uploading import Upload
from feedback_lab.ui.widgets import facts

ENCODINGS = {
    "UTF-8": "utf-8", "UTF-16": "utf-16", "Windows-1252 (Western)": "cp1252", "Windows-1251 (Cyrillic)": "cp1251",
    "Shift-JIS (Japanese)": "shift_jis", "EUC-JP (Japanese)": "euc_jp", "GB18030 (Chinese)": "gb18030",
    "Big5 (Chinese)": "big5", "EUC-KR (Korean)": "euc_kr",
}  # fmt: skip
DELIMITERS = {"Comma": ",", "Semicolon": ";", "Tab": "\t", "Bar": "|"}
HEADERS = {"Names of columns": True, "Data already": False}


def show(upload: Upload) -> None:
    """The file and its format in one line, what was recognised, and how to read it another way."""
    facts([("File", upload.name), ("Format", upload.format), ("Columns", f"{len(upload.header):,}")], "format")
    if upload.tool:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.markdown(f"An export of **{upload.tool.title}**: its fields are known.", width="stretch")
            st.button("Read it as an ordinary file", on_click=uploading.read_anew, args=(upload.hints,),
                      kwargs={"ordinary": True})  # fmt: skip
    if upload.saved:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.text(f"Mapped as {reveal(upload.saved[0])!r}, because an earlier file had these columns.")
            st.button("Start from the suggestions instead", on_click=uploading.read_anew, args=(upload.hints,),
                      kwargs={"use_saved": False})  # fmt: skip
    said = mapping.reasons(upload)
    with st.expander("Why", expanded=not upload.saved and len(said) < 9, type="compact"):
        st.text(
            "\n".join(map(reveal, said))
            or "No column has a name or a content that speaks for a field: choose them below."
        )
    with st.expander("Read the file another way", type="compact"):
        _hints(upload)


def offer_to_save(upload: Upload, plan: Plan) -> None:
    """Keep the mapping for the next file with this header."""
    fold = st.expander("Keep this mapping for the next file with these columns", type="compact")
    with fold, st.container(horizontal=True, vertical_alignment="bottom"):
        name = upload.saved[0] if upload.saved else ""
        st.text_input("Name of the mapping", name, key="mapping_name", width=300, placeholder="Weekly export")
        st.button("Keep", icon=":material/bookmark:", on_click=uploading.save_mapping, args=(upload, plan))


def _hints(upload: Upload) -> None:
    key = upload.path.stem
    with st.grid(4, min_column_width=200, gap="small", vertical_alignment="bottom"):
        encoding = st.selectbox("Encoding", ENCODINGS, index=None, placeholder="As recognised", key=f"enc_{key}")
        delimiter = st.selectbox("Columns end at", DELIMITERS, index=None, placeholder="As recognised",
                                 key=f"del_{key}")  # fmt: skip
        header = st.selectbox(
            "The first row holds", HEADERS, index=None, placeholder="As recognised", key=f"head_{key}"
        )
        hints = Hints(
            ENCODINGS[encoding] if encoding else None,
            DELIMITERS[delimiter] if delimiter else None,
            HEADERS[header] if header else None,
        )
        st.button("Read again", icon=":material/refresh:", on_click=uploading.read_anew, args=(hints,),
                  disabled=hints == upload.hints)  # fmt: skip
