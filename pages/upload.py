"""Upload: bring logs in."""

import streamlit as st

from feedback_lab.ui import import_preview, imports, jobs, large_file, mapping, recognised, state, uploading
from feedback_lab.ui.rules import rules_panel
from feedback_lab.ui.widgets import heading, notice, subheading

uploading.take_result()
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
        "Questions, answers, thumbs, ratings, comments or corrections: CSV, JSON, Parquet, Excel, gzip, zip, or "
        "another tool's export",
        key=f"file_{uploading.round_number()}", on_change=uploading.receive, max_upload_size=50,
    )  # fmt: skip
    if not upload and (arrived := large_file.large_file("large")):
        uploading.take(arrived.path, arrived.name)
        st.rerun()

if upload:
    with st.container(border=True):
        recognised.show(upload)
        plan = mapping.plan_form(upload)
    for sentence in mapping.left_open(upload, plan):
        notice("attention", sentence)
    if not upload.tool and not mapping.holds_an_opinion(plan):
        notice(
            "attention",
            "Nothing here says whether people were content: choose the column of thumbs, ratings or words for it, "
            "or what holds for the whole file. Otherwise no rate can be counted.",
        )
    subheading("As it will be stored")
    usable = import_preview.show_preview(upload, plan)
    running = jobs.current(uploading.JOB)
    if running:
        jobs.job_panel(running, "rows", uploading.JOB, still="being stored")
    else:
        imports.show_actions(plan, usable)
    if not upload.tool:
        recognised.offer_to_save(upload, plan)

imports.show_running()
imports.show_history()
