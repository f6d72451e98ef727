"""The seeded sample world: an assistant, its users, and what was planted for the pages to find."""

from feedback_lab.sample.flat_file import write_sample_csv
from feedback_lab.sample.plan import Planted
from feedback_lab.sample.world import World, make_world

__all__ = ["Planted", "World", "make_world", "write_sample_csv"]
