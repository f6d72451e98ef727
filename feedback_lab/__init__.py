"""Feedback Lab: what people say about an AI product's answers, turned into a better product.

Read the modules in the order of the data:
records -> store -> ingest -> verdicts -> triggers -> review -> knowledge -> issues -> insights.
"""

__version__ = "0.1.0"
