"""The dry run of the rules and the run itself, as Review and Upload offer them: the counts are said first."""

import streamlit as st

from feedback_lab import review
from feedback_lab.jobs import JobHandle, State
from feedback_lab.review import RunReport
from feedback_lab.ui import jobs, state, words

JOB = "rules"


def rules_panel(key: str) -> None:
    """A dry run, its counts, and the button that opens exactly these tasks."""
    running = jobs.current(JOB)
    if running is not None and not running.state.ended:
        jobs.job_panel(running, "verdicts", key)
        return
    _take_result()
    found: RunReport | None = st.session_state.get("dry_run")
    if found is None:
        st.markdown("The rules look at verdicts that they have not seen, and propose what a human should see.")
        st.button(
            "Dry run of the rules", key=f"dry_{key}", type="primary", icon=":material/science:", on_click=_dry_run
        )
        return
    st.markdown(counts(found))
    with st.container(horizontal=True):
        if found.candidates or found.promoted:
            label = f"Open {words.count(found.opened + found.promoted, 'task')}"
            if found.joined:
                label += f", extend {found.joined:,}"
            st.button(label, key=f"run_{key}", type="primary", icon=":material/play_arrow:", on_click=_run)
        st.button("Dry run again", key=f"again_{key}", on_click=_dry_run)


def counts(report: RunReport) -> str:
    """What a run found or would find, in one sentence."""
    if not report.candidates and not report.promoted:
        return f"{words.count(report.evaluated, 'new verdict')} looked at, no new pattern found."
    verb = "would be" if report.dry_run else "were" if report.opened + report.promoted != 1 else "was"
    parts = [f"{report.opened + report.promoted:,} {verb} opened now"]
    if report.joined:
        parts.append(f"{report.joined:,} add to a task that is open")
    if report.waiting:
        parts.append(f"{report.waiting:,} wait for a day with room")
    return (
        f"{words.count(report.evaluated, 'new verdict')} looked at, {words.count(report.candidates, 'pattern')} found: "
        f"{', '.join(parts)}."
    )


def _dry_run() -> None:
    _run_rules(dry_run=True)


def _run() -> None:
    _run_rules(dry_run=False)


def _run_rules(*, dry_run: bool) -> None:
    lab = state.lab()

    def work(handle: JobHandle) -> RunReport:
        return review.run_rules(
            lab.store,
            similarity=lab.settings.similarity,
            budget=lab.settings.daily_budget,
            dry_run=dry_run,
            progress=handle.progress,
        )

    jobs.start(JOB, "Dry run of the rules" if dry_run else "Run of the rules", work)
    _take_result()


def _take_result() -> None:
    """What the job left, if it has ended: a dry run is kept, everything else is said."""
    job = jobs.take(JOB)
    if job is None:
        return
    if job.state is State.FAILED:
        state.say("error", str(job.error))
    elif job.state is State.CANCELLED:
        state.say("info", "The rules were stopped. Nothing was opened or marked.")
    elif isinstance(job.result, RunReport) and job.result.dry_run:
        st.session_state["dry_run"] = job.result
    elif isinstance(job.result, RunReport):
        st.session_state.pop("dry_run", None)
        state.say("done", counts(job.result))
