"""Re-identification risk: measured, judged, reduced."""
