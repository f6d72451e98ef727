"""The palette of the charts, one meaning a colour, safe for the colour-blind; widgets take theirs from config.toml."""

from dataclasses import dataclass

import streamlit as st


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours of the charts. `accent` is the one strong series, `neutral` all others, `band` an interval."""

    accent: str
    positive: str
    negative: str
    neutral: str
    band: str
    grid: str
    text: str


LIGHT = Palette("#4F46E5", "#0F766E", "#C2410C", "#64748B", "rgba(79, 70, 229, 0.14)", "#E2E5EA", "#1E293B")
DARK = Palette("#818CF8", "#2DD4BF", "#FB923C", "#94A3B8", "rgba(129, 140, 248, 0.20)", "#2A313B", "#E2E8F0")

CONTENT_WIDTH = 1400  # px
TEXT_WIDTH = 620  # px: about 75 characters of user text a line


def palette() -> Palette:
    """The colours of the theme that this browser shows now."""
    return DARK if st.context.theme.type == "dark" else LIGHT


# What config.toml cannot say: less air around wide pages, figures of one width, a larger size for plain text that
# is a title (headings are Markdown, and titles hold strangers' words), no toolbar over a list that
# is only chosen from, no text box squeezed flat by a panel of fixed height, segmented buttons as high as the
# boxes that they stand beside, columns that stack on a small screen.
STYLE = """<style>
[data-testid="stMainBlockContainer"] { padding-left: 2rem; padding-right: 2rem; }
.st-key-content { margin-left: auto; margin-right: auto; }
[data-testid="stMetricValue"], [data-testid="stText"] { font-variant-numeric: tabular-nums; }
[data-testid="stText"] { overflow-wrap: anywhere; unicode-bidi: isolate; }
[class*="st-key-title_"] [data-testid="stText"] { font-size: 1.25rem; font-weight: 600; }
[class*="st-key-quiet_"] [data-testid="stText"] { font-size: 0.875rem; opacity: 0.65; }
[class*="st-key-panel_"] > * { flex-shrink: 0; }
[data-testid="stButtonGroup"] [data-variant="segmented_control"] { min-height: 2.5rem; }
[class*="st-key-list_"] [data-testid="stElementToolbar"] { display: none; }
@media (max-width: 1000px) { [data-testid="stColumn"] { min-width: 100%; } }
</style>"""
