"""A Python text and its tree: pieces are replaced in the text.

So comments, layout and line ends of all that is not replaced stay.
"""
import ast
import difflib
import io
import re
import tokenize


def lines_of(text):
    """Return the lines as Python counts them, with their ends."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)


def decoded(data):
    """Return the text of a file's bytes, and its encoding."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding), encoding


class Source:
    """A text with its tree; every node knows its parent."""

    def __init__(self, text):
        """Parse a text; raise SyntaxError where it is none."""
        self.text, self.lines, self.starts = text, lines_of(text), [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.tree = ast.parse(text)
        for node in ast.walk(self.tree):
            for child in ast.iter_child_nodes(node):
                child.parent = node
        self.tree.parent = None

    def place(self, line, column):
        """Return where a line and a column of UTF-8 bytes are in the text."""
        text = self.lines[line - 1] if line <= len(self.lines) else ""
        return self.starts[line - 1] + len(
            text.encode()[:column].decode("utf-8", "ignore"))

    def span(self, node):
        """Return where the text of a node starts and ends."""
        return (self.place(node.lineno, node.col_offset),
                self.place(node.end_lineno, node.end_col_offset))

    def of(self, node):
        """Return the text of a node."""
        start, end = self.span(node)
        return self.text[start:end]

    def indent(self, node):
        """Return the spaces before a statement."""
        return re.match(r"\s*", self.lines[node.lineno - 1]).group()

    def change(self, node, new):
        """Return the change that puts a text in the place of a node."""
        return (*self.span(node), new)

    def before(self, statement, *new):
        """Return the change that puts lines before a statement."""
        start = self.starts[statement.lineno - 1]
        end = "\r\n" if "\r\n" in self.text else "\n"
        return start, start, "".join(
            f"{self.indent(statement)}{line}{end}" for line in new)

    def edited(self, changes):
        """Return the text with changes: (start, end, new text)."""
        text, last = self.text, len(self.text)
        for start, end, new in sorted(changes, reverse=True):
            if end > last:
                raise ValueError("changes overlap")
            text, last = text[:start] + new + text[end:], start
        return text


def statement_of(node, kind=ast.stmt):
    """Return the statement, or the one of a kind, that a node is in."""
    while not isinstance(node, kind):
        node = node.parent
    return node


def pieces(text):
    """Return the lines of a text, those of one statement together."""
    lines, found, last, begun = lines_of(text), [], 0, False
    for token in tokenize.generate_tokens(iter(lines + [""]).__next__):
        if token.type == tokenize.NEWLINE or (
                token.type == tokenize.NL and not begun):
            found.append("".join(lines[last:token.start[0]]))
            last, begun = token.start[0], False
        elif token.type not in (tokenize.COMMENT, tokenize.INDENT,
                                tokenize.DEDENT, tokenize.NL):
            begun = True
    return found + ["".join(lines[last:])] * (last < len(lines))


def compared(old, new):
    """Return what changed: (line, before, after, places, count).

    before and after are whole statements, so many; places: in pieces(new).
    """
    ours, theirs, found = pieces(old), pieces(new), []
    for kind, i, j, k, n in difflib.SequenceMatcher(
            None, ours, theirs, autojunk=False).get_opcodes():
        if kind != "equal":
            line = 1 + sum(len(lines_of(piece)) for piece in ours[:i])
            found.append((line, "".join(ours[i:j]), "".join(theirs[k:n]),
                          range(k, n), max(j - i, n - k)))
    return found


def effort(old, new, places):
    """Return how much was changed: statements, then characters."""
    changes = compared(old, new)
    characters = sum(max(j - i, n - k) for _, before, after, *_ in changes
                     for kind, i, j, k, n in difflib.SequenceMatcher(
                         None, before, after, autojunk=False).get_opcodes()
                     if kind != "equal")
    return sum(count for *_, count in changes), characters, places


def said(original, steps):
    """Return a sentence for each change between the original and the last."""
    tags, text = [set() for _ in pieces(original)], original
    for new, sentence, _ in steps:
        old, tags = tags, []
        ours, theirs = pieces(text), pieces(new)
        for kind, i, j, k, n in difflib.SequenceMatcher(
                None, ours, theirs, autojunk=False).get_opcodes():
            tags += old[i:j] if kind == "equal" else [
                set.union({sentence}, *old[i:j]) for _ in range(k, n)]
        text = new
    every = [sentence for _, sentence, _ in steps]
    return [" ".join(sorted(set.union(set(), *[tags[i] for i in places]),
                            key=every.index)) or every[-1]
            for *_, places, _ in compared(original, text)]
