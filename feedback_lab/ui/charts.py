"""Charts: one strong series, the rest grey. Every word that came from outside is escaped, Plotly reads it as HTML."""

from __future__ import annotations

import html
import time
from collections.abc import Sequence
from datetime import datetime

import pandas as pd
import plotly.graph_objects as go
import streamlit as st
from plotly.subplots import make_subplots

from feedback_lab.ui.theme import Palette

DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
MOST_SEGMENTS = len(DASHES)
LABEL_CHARACTERS = 32
WEEK_MS = 7 * 86_400_000
BAR_MS = 0.8 * WEEK_MS  # without it, a single week is a bar of a millisecond
MOST_LABELS = 7  # of weeks, next to each other
LABEL_SHARE = 0.2  # of the width, for one label
BEHIND_S = 0.3  # after the rest of the page


def safe(text: object) -> str:
    """A stranger's word as a chart may show it: short, and literal."""
    word = str(text)
    return html.escape(word if len(word) <= LABEL_CHARACTERS else word[: LABEL_CHARACTERS - 1] + "…")


def rate_over_time(frame: pd.DataFrame, markers: Sequence[tuple[datetime, str]], colours: Palette) -> go.Figure:
    """Positive rate by `start` with its interval, one line a segment, verdicts counted as bars below.

    `frame` has start, segment, rate, low, high, n. One segment gets its band; several get lines only.
    """
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, row_heights=[0.76, 0.24], vertical_spacing=0.06)
    segments = list(dict.fromkeys(frame["segment"]))[:MOST_SEGMENTS]
    for place, segment in enumerate(segments):
        part = frame[frame["segment"] == segment]
        name = "all" if segment is None or pd.isna(segment) else safe(segment)
        colour = colours.accent if place == 0 else colours.neutral
        if len(segments) == 1:
            _add_band(figure, part, colours)
        figure.add_trace(
            go.Scatter(
                x=part["start"], y=part["rate"], name=name, mode="lines+markers", connectgaps=False,
                line={"color": colour, "width": 2, "dash": DASHES[place]}, marker={"size": 4}, customdata=part[["n"]],
                hovertemplate="%{x|%b %-d}  %{y:.1%}  n %{customdata[0]:,}<extra>" + name + "</extra>",
            ),
            row=1, col=1,
        )  # fmt: skip
        figure.add_trace(
            go.Bar(x=part["start"], y=part["n"], name=name, marker_color=colour, opacity=0.45, showlegend=False,
                   hovertemplate="%{x|%b %-d}  %{y:,} verdicts<extra>" + name + "</extra>"),
            row=2, col=1,
        )  # fmt: skip
    _add_markers(figure, markers, frame["start"], colours)
    _dress(figure, colours, height=320, legend=len(segments) > 1)
    figure.update_layout(barmode="stack")
    figure.update_yaxes(tickformat=".0%", row=1, col=1, nticks=6)
    figure.update_yaxes(tickformat=",d", row=2, col=1, nticks=3)
    return figure


def counts_over_time(frame: pd.DataFrame, markers: Sequence[tuple[datetime, str]], colours: Palette) -> go.Figure:
    """Bars of `n` by the week that begins at `start`, with markers: how often something was said."""
    hover = "%{x|%b %-d}  %{y:,}<extra></extra>"
    bars = go.Bar(x=frame["start"], y=frame["n"], width=BAR_MS, marker_color=colours.accent, hovertemplate=hover)
    figure = go.Figure(bars)
    _add_markers(figure, markers, frame["start"], colours)
    _dress(figure, colours, height=190, legend=False)
    figure.update_yaxes(nticks=4, tickformat=",d")
    weeks = (frame["start"].max() - frame["start"].min()).days // 7
    # A label stands at the Monday that its bar begins with; by itself Plotly takes Sundays.
    figure.update_xaxes(tick0=frame["start"].min(), dtick=WEEK_MS * (weeks // MOST_LABELS + 1))
    return figure


def show(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a figure across the width of its container, without Plotly's own buttons."""
    st.session_state["has_drawn_charts"] = True
    st.plotly_chart(figure, key=key, theme="streamlit", config={"displayModeBar": False, "displaylogo": False}, alt=alt)


def show_empty() -> None:
    """Draw nothing, where a chart will be."""
    show(go.Figure(layout={"height": 320}), "empty", "Being counted")


def show_behind(figure: go.Figure, key: str, alt: str) -> None:
    """Draw a figure, the first one of a session when the rest of its page stands: then the page runs again.

    To load Plotly keeps a browser busy for most of a second, in which it would draw nothing else.
    """
    if "has_drawn_charts" in st.session_state:
        show(figure, key, alt)
        return
    begun = time.monotonic()

    @st.fragment(run_every=BEHIND_S)
    def look() -> None:
        if time.monotonic() - begun >= BEHIND_S:
            st.session_state["has_drawn_charts"] = True
            st.rerun()
        with st.container(height=figure.layout.height, border=False):
            st.caption("The chart is being drawn.")

    look()


def _add_band(figure: go.Figure, part: pd.DataFrame, colours: Palette) -> None:
    """The interval as one closed outline a stretch of known periods: a gap in the data is a gap in the band."""
    known = part["low"].notna() & part["high"].notna()
    for _, stretch in part[known].groupby((~known).cumsum()[known]):
        there, back = stretch["start"], stretch["start"][::-1]
        figure.add_trace(
            go.Scatter(x=[*there, *back], y=[*stretch["high"], *stretch["low"][::-1]], fill="toself", mode="lines",
                       fillcolor=colours.band, line={"width": 0}, hoverinfo="skip", showlegend=False),
            row=1, col=1,
        )  # fmt: skip


def _add_markers(figure: go.Figure, markers: Sequence[tuple[datetime, str]], span: pd.Series, colours: Palette) -> None:
    """A dotted line at each moment, and its label where the one before leaves room."""
    room = (span.max() - span.min()) * LABEL_SHARE
    free_from = None
    for moment, label in markers:
        figure.add_vline(x=moment, line={"color": colours.neutral, "width": 1, "dash": "dot"})
        if free_from is None or moment >= free_from:
            free_from = moment + room
            figure.add_annotation(
                x=moment, y=1, yref="paper", yanchor="bottom", xanchor="left", showarrow=False, text=safe(label),
                font={"size": 11, "color": colours.neutral},
            )  # fmt: skip


def _dress(figure: go.Figure, colours: Palette, *, height: int, legend: bool) -> None:
    figure.update_layout(
        height=height, margin={"l": 8, "r": 8, "t": 52 if legend else 28, "b": 8}, showlegend=legend, hovermode="x",
        legend={"orientation": "h", "traceorder": "normal", "y": 1.2, "x": 0, "font": {"color": colours.text}},
        paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)", bargap=0.25,
        font={"color": colours.text, "size": 12},
    )  # fmt: skip
    figure.update_xaxes(gridcolor=colours.grid, showgrid=False, zeroline=False, linecolor=colours.grid)
    figure.update_yaxes(gridcolor=colours.grid, zeroline=False, griddash="solid")
