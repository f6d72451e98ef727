"""A file chooser for files that are too large for Streamlit's own: the browser streams them to the HTTP API.

Streamlit's widget keeps a file in the server's memory, this one never does. The page makes a ticket for one file; the
component sends the file with it, shows how far it is, and tells the page when it has arrived.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from feedback_lab import uploads
from feedback_lab.ui import state
from feedback_lab.ui.headers import BROWSER_COOKIE

HTML = """<div class="large-file">
  <label class="choose" tabindex="0"><input type="file"><span></span></label>
  <div class="sending" hidden>
    <progress max="1" value="0"></progress>
    <span class="far" role="status"></span>
    <button type="button">Stop</button>
  </div>
  <p class="trouble" role="alert" hidden></p>
</div>
"""

CSS = """.large-file { font: 0.875rem var(--st-font); color: var(--st-text-color); }
.choose { display: inline-block; padding: 0.35rem 0.75rem; border: 1px solid var(--st-border-color);
  border-radius: var(--st-button-radius); background: var(--st-background-color); cursor: pointer; }
.choose:hover, .choose:focus-within { border-color: var(--st-primary-color); color: var(--st-primary-color); }
.choose input { position: absolute; width: 1px; height: 1px; opacity: 0; }
.sending { display: flex; align-items: center; gap: 0.75rem; }
.sending[hidden], .choose[hidden] { display: none; }
progress { flex: 1; max-width: 24rem; accent-color: var(--st-primary-color); }
button { font: inherit; color: inherit; padding: 0.2rem 0.75rem; border: 1px solid var(--st-border-color);
  border-radius: var(--st-button-radius); background: var(--st-background-color); cursor: pointer; }
.trouble { color: var(--st-red-text-color, var(--st-text-color)); margin: 0.5rem 0 0; }
"""

JS = """const sendings = new WeakMap()

export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const find = (name) => parentElement.querySelector(name)
  const [choose, input, sending, trouble] = [".choose", "input", ".sending", ".trouble"].map(find)
  const [bar, far, stop] = ["progress", ".far", "button"].map(find)
  find(".choose span").textContent = data.label

  const megabytes = (bytes) => Math.round(bytes / 1e6).toLocaleString("en")
  const show = (busy, words) => {
    choose.hidden = busy
    sending.hidden = !busy
    trouble.hidden = !words
    trouble.textContent = words
  }
  const ended = (words) => {
    sendings.delete(parentElement)
    input.value = ""
    show(false, words)
  }

  choose.onkeydown = (event) => {
    if (event.key === "Enter" || event.key === " ") input.click()
  }
  stop.onclick = () => sendings.get(parentElement)?.abort()
  input.onchange = () => {
    const file = input.files[0]
    if (!file || sendings.has(parentElement)) return
    if (file.size > data.most_bytes) {
      input.value = ""
      show(false, `The file has ${megabytes(file.size)} MB, and at most ${megabytes(data.most_bytes)} MB are taken.`)
      return
    }
    const request = new XMLHttpRequest()
    const begun = performance.now()
    sendings.set(parentElement, request)
    bar.value = 0
    far.textContent = ""
    show(true, "")
    request.upload.onprogress = (event) => {
      const seconds = (performance.now() - begun) / 1000
      const speed = seconds > 1 ? `, ${megabytes(event.loaded / seconds)} MB a second` : ""
      bar.value = event.loaded / file.size
      far.textContent = `${megabytes(event.loaded)} of ${megabytes(file.size)} MB${speed}`
    }
    request.onload = () => {
      let answer = {}
      try { answer = JSON.parse(request.responseText) } catch { answer = {} }
      const came = request.status === 201
      ended(came ? "" : answer.message || `The server refused the file (${request.status}).`)
      setTriggerValue(came ? "arrived" : "ended", { id: data.id, name: file.name })
    }
    request.onerror = () => {
      ended("The server broke the upload off, or cannot be reached.")
      setTriggerValue("ended", {})
    }
    request.onabort = () => {
      ended("Stopped. Nothing of the file is kept.")
      setTriggerValue("ended", {})
    }
    request.open("PUT", new URL(`/api/v1/uploads/${data.id}`, document.baseURI))
    request.setRequestHeader("Authorization", `Bearer ${data.token}`)
    request.setRequestHeader("Content-Type", "application/octet-stream")
    request.send(file)
  }
}
"""

MOST_TICKETS = 4  # that a session remembers, besides the one in use

_component = st.components.v2.component("feedback_lab_large_file", html=HTML, css=CSS, js=JS)


@dataclass(frozen=True, slots=True)
class Arrived:
    """A large file that has come: where it lies, and what it was called. Who takes it removes it."""

    path: Path
    name: str


def large_file(key: str, label: str = "Choose a file above 50 MB") -> Arrived | None:
    """The chooser; the file in the run after it arrived, once, else None."""
    tickets: list[uploads.Ticket] = st.session_state.setdefault(f"tickets_{key}", [])
    if not tickets:
        _renew(tickets)
    ticket = tickets[-1]
    most = state.lab().settings.upload_mb * 1_000_000
    found = _component(
        key=key,
        data={"id": ticket.upload_id, "token": ticket.token, "label": label, "most_bytes": most},
        on_arrived_change=lambda: None,
        on_ended_change=lambda: _renew(tickets),  # a ticket is good for one try
    )
    said: dict[str, Any] | None = found.arrived
    if not said:
        return None
    # A file chosen in the moment after a stop still comes with the ticket before.
    used = next((one for one in tickets if one.upload_id == said.get("id")), None)
    _renew(tickets)
    path = uploads.DESK.take(used) if used else None
    return Arrived(path, str(said.get("name", ""))) if path else None


def _renew(tickets: list[uploads.Ticket]) -> None:
    tickets[:] = [*tickets[-MOST_TICKETS:], uploads.DESK.ticket(_browser())]


def _browser() -> str:
    """The cookie by which the API knows this browser again; nothing where the page runs without one."""
    cookie = st.context.cookies.get(BROWSER_COOKIE)
    return cookie if isinstance(cookie, str) else ""
