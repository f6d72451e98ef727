"""What charts promise beside their looks."""

from datetime import timedelta

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from feedback_lab.ui import charts
from feedback_lab.ui.theme import LIGHT
from tests.builders import MONDAY
from tests.page_builders import words_of


@pytest.mark.parametrize("weeks", [1, 8, 40])
def test_the_labels_of_weeks_stand_at_mondays_and_are_few(weeks: int) -> None:
    starts = [MONDAY + timedelta(weeks=number) for number in range(weeks)]
    axis = charts.counts_over_time(pd.DataFrame({"start": starts, "n": 1}), [], LIGHT).layout.xaxis

    assert pd.Timestamp(axis.tick0).day_name() == "Monday"
    assert axis.dtick % timedelta(weeks=1).total_seconds() == 0
    assert weeks * timedelta(weeks=1).total_seconds() * 1_000 / axis.dtick <= 8


def with_a_chart() -> None:
    import pandas as pd

    from feedback_lab.ui import charts
    from feedback_lab.ui.theme import LIGHT
    from tests.builders import MONDAY

    charts.show_behind(charts.counts_over_time(pd.DataFrame({"start": [MONDAY], "n": 1}), [], LIGHT), "tested", "Alt")


def test_the_first_chart_of_a_session_lets_the_rest_of_the_page_be_drawn_before_it() -> None:
    app = AppTest.from_function(with_a_chart).run()
    assert not app.get("plotly_chart")
    assert "The chart is being drawn." in words_of(app)

    app.session_state["has_drawn_charts"] = True
    app.run()
    assert len(app.get("plotly_chart")) == 1
