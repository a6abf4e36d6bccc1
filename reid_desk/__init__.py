"""ReID Desk: a person search that adapts to the site it works at."""

__version__ = "0.1.0"
