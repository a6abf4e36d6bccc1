"""Footage: clip -> frames -> detections -> tracks -> crops. Knows no site and no model of the site."""
