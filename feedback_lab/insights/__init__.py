"""Numbers that a PM can defend: rates with intervals, periods, what to fix first, and the summary of a period.

Read in this order: `rates` (pure arithmetic) -> `periods` (windows, charts) -> `opportunities` -> `summary`.
Every figure counts verdicts (`feedback_lab.verdicts`), never clicks; `summary.HOW_COUNTED` says how, in words.
"""
