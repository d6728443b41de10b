"""The parts of check.py: cases, processes, verdicts, causes and reports."""
