"""What charts promise beside their looks."""

from datetime import timedelta

import pandas as pd
import pytest

from feedback_lab.ui import charts
from feedback_lab.ui.theme import LIGHT
from tests.builders import MONDAY


@pytest.mark.parametrize("weeks", [1, 8, 40])
def test_the_labels_of_weeks_stand_at_mondays_and_are_few(weeks: int) -> None:
    starts = [MONDAY + timedelta(weeks=number) for number in range(weeks)]
    axis = charts.counts_over_time(pd.DataFrame({"start": starts, "n": 1}), [], LIGHT).layout.xaxis

    assert pd.Timestamp(axis.tick0).day_name() == "Monday"
    assert axis.dtick % timedelta(weeks=1).total_seconds() == 0
    assert weeks * timedelta(weeks=1).total_seconds() * 1_000 / axis.dtick <= 8
