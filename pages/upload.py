"""Upload: bring logs in."""

import streamlit as st

from feedback_lab.ui import imports, mapping, state, uploading, words
from feedback_lab.ui.rules import rules_panel
from feedback_lab.ui.widgets import facts, heading, notice, subheading

upload, report = uploading.current(), uploading.report()
heading(
    f"Bring logs in, step {3 if report else 2 if upload else 1} of 3",
    "What became of every row" if report else "What was recognised" if upload else "Drop a file of what users said",
)

if report:
    with st.container(border=True):
        imports.show_report(report)
    if report.new:
        with st.container(border=True):
            subheading("Next: let the rules look at it")
            rules_panel("upload")
            st.page_link(state.page("issues"), label="Group the comments into issues", icon=":material/forum:")
            st.page_link(state.page("review"), label="Go to the queue", icon=":material/rate_review:")
else:
    st.file_uploader(
        "A CSV, TSV or JSON Lines file with questions, answers, thumbs, ratings, comments or corrections",
        type=["csv", "tsv", "jsonl", "ndjson", "json", "txt"], key=f"file_{uploading.round_number()}",
        on_change=uploading.receive,
    )  # fmt: skip

if upload:
    with st.container(border=True):
        facts([(upload.name, upload.format), (words.count(len(upload.header), "column"), " ")], "format")
        said = mapping.reasons(upload)
        with st.expander("Why", expanded=len(said) < 9, type="compact"):
            st.text("\n".join(said) or "No column has a name or a content that speaks for a field: choose them below.")
        plan = mapping.plan_form(upload)
    if not mapping.holds_an_opinion(plan):
        notice(
            "attention",
            "Nothing here says whether people were content: choose the column of thumbs, ratings or words for it, "
            "or what holds for the whole file. Otherwise no rate can be counted.",
        )
    subheading("As it will be stored")
    usable = mapping.show_preview(upload, plan)
    checked = uploading.checked(plan)
    with st.container(horizontal=True, vertical_alignment="center"):
        try_it = st.button("Count without storing", icon=":material/science:", disabled=not usable)
        store_it = st.button("Import", type="primary", icon=":material/database:", disabled=not usable)
        st.button("Cancel", on_click=uploading.start_again)
        if checked:
            st.markdown(f"It would be: **{imports.account(checked)}**")
    if try_it or store_it:
        with st.status("Reading the rows", type="compact") as box:
            uploading.run(
                upload, plan, dry_run=not store_it, progress=lambda rows: box.update(label=f"{rows:,} rows read")
            )
        st.rerun()

imports.show_history()
