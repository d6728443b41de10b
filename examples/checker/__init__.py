"""The parts of check.py: cases, processes, verdicts, edits and reports."""
