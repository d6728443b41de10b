"""Printing that never ends a program, and how programs end."""
import os
import sys

from common import UserError


class Steady:
    """A text stream that never ends the program.

    When its reader has gone (`train.py | head -1`, a closed terminal), what
    is written from then on goes nowhere; letters that the stream's encoding
    lacks are written as escapes.
    """

    def __init__(self, stream):
        """Take a stream, or None where there is none."""
        self.stream = stream or open(os.devnull, "w")

    def __getattr__(self, name):
        """Be the stream in all else."""
        return getattr(self.stream, name)

    def write(self, text):
        """Write a text."""
        encoding = self.stream.encoding or "utf-8"
        self.attempt(self.stream.write, text.encode(
            encoding, "backslashreplace").decode(encoding))

    def flush(self):
        """Hand on what was written."""
        self.attempt(self.stream.flush)

    def attempt(self, method, *arguments):
        """Call a method; if that fails, let the stream lead nowhere."""
        try:
            method(*arguments)
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, self.stream.fileno())
            os.close(nowhere)


def say(text):
    """Print a text for the user."""
    print(text, file=Steady(sys.stdout), flush=True)


def complain(program, text, status=2):
    """Print in one line what went wrong; return the exit status."""
    print(f"{program}: {' '.join(str(text).split())}",
          file=Steady(sys.stderr), flush=True)
    return status


def finished(program, work):
    """Do the work of a program; return its exit status, whatever happens."""
    try:
        return work()
    except UserError as error:
        return complain(program, error)
    except KeyboardInterrupt:
        return complain(program, "interrupted", 130)
