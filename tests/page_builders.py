"""Pages as a person sees them, without a browser: the lab behind them, their words, some feedback to look at."""

import os
from pathlib import Path

from streamlit.testing.v1 import AppTest

from feedback_lab import review
from feedback_lab.serving import Lab
from tests.builders import pattern, put, said

ROOT = Path(__file__).resolve().parents[1]
ENTRY_POINT = ROOT / "feedback_lab" / "ui" / "main.py"


def page(name: str, **state: str) -> AppTest:
    app = AppTest.from_file(str(ENTRY_POINT), default_timeout=60).run()
    for key, value in state.items():
        app.session_state[key] = value
    return app.switch_page(os.path.relpath(ROOT / "pages" / f"{name}.py", ENTRY_POINT.parent)).run()


def words_of(app: AppTest) -> str:
    """All text of a page, however it is shown."""
    return "\n".join(str(one.value) for one in [*app.markdown, *app.caption, *app.text])


def some_feedback(lab: Lab) -> None:
    pattern(lab.store, "How do I reset my password?", negative=12, comment="The link in the mail is dead")
    pattern(lab.store, "What does the card cost?", negative=2, positive=20, start=40)
    put(lab.store, [said("c2", "correction", on="i2", rater_hash="x", suggested_answer="Use the app instead")])


def open_tasks(lab: Lab) -> None:
    report = review.run_rules(lab.store, ["seed"], similarity=0.5, budget=None)
    assert report.opened > 0


def upload(name: str, content: bytes) -> AppTest:
    app = page("upload")
    return app.file_uploader[0].set_value((name, content, "text/csv")).run()


def unfold(app: AppTest, key: str) -> AppTest:
    """Open the popover with this key, whose content is worked out only then."""
    app.session_state[key] = True
    return app.run()


def press(app: AppTest, label: str) -> AppTest:
    """Press the button with this label and look at the page again."""
    return next(button for button in app.button if button.label == label).click().run()
