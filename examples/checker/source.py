"""A Python text: its lines, statements and tree, and what changed in it."""
import ast
import difflib
import io
import re
import stat
import tokenize


def lines_of(text):
    """Return the lines as Python counts them, with their ends."""
    return re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+$", text)


def source_of(path):
    """Return the bytes of a Python file, or a sentence why there are none."""
    if path.suffix == ".ipynb":
        return ("A notebook: copy the function into a .py file, or call "
                "check(function) in the notebook.")
    if path.suffix != ".py":
        return "This is not a Python file: its name does not end in .py."
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "This is not a file."
        data = path.read_bytes() if path.stat().st_size <= 10**6 else b"\0"
    except OSError as error:
        return f"The file cannot be read ({error.strerror})."
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "The file is saved as UTF-16: save it as UTF-8."
    return data if b"\0" not in data else (
        "This is not a Python file, but binary or too long.")


def decoded(data):
    """Return the text of a file's bytes, and its encoding."""
    encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    return data.decode(encoding), encoding


def up(node, *kinds):
    """Return the nearest node of some kinds that a node is, or is in."""
    while node is not None and not isinstance(node, kinds):
        node = node.parent
    return node


def elements(node):
    """Return the elements of a tuple or list, else nothing."""
    return node.elts if isinstance(node, (ast.Tuple, ast.List)) else []


def slices(node):
    """Return the rows' and the columns' slice of a subscript, or nothing."""
    found = [part for part in elements(getattr(node, "slice", None))
             if isinstance(part, ast.Slice) and (part.lower or part.upper)]
    return found if len(found) == 2 else []


def called(node):
    """Return the last name of the function that a call is of, or None."""
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", getattr(node.func, "id", None))


class Text:
    """A text with its tree, in which every node knows its parent."""

    def __init__(self, text):
        """Parse a text."""
        self.text, self.lines, self.starts = text, lines_of(text), [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.tree = ast.parse(text)
        self.tree.parent = None
        for node in ast.walk(self.tree):
            for one in ast.iter_child_nodes(node):
                one.parent = node

    def span(self, node):
        """Return where a node starts and ends; columns count UTF-8 bytes."""
        def place(line, column):
            return self.starts[line - 1] + len(self.lines[line - 1].encode()[
                :column].decode())
        return (place(node.lineno, node.col_offset),
                place(node.end_lineno, node.end_col_offset))

    def of(self, node):
        """Return the text of a node."""
        return self.text[slice(*self.span(node))]

    def put(self, node, new):
        """Return the change that puts a text in the place of a node."""
        return (*self.span(node), new)

    def before(self, statement, line):
        """Return the change that puts a line before a statement."""
        start, first = self.starts[statement.lineno - 1], self.span(
            statement)[0]
        end = "\r\n" if "\r\n" in self.text else "\n"
        return start, start, self.text[start:first] + line + end


def edited(text, changes):
    """Return a text with changes, (start, end, new text), or None."""
    last = len(text)
    for start, end, new in sorted(set(changes), reverse=True):
        if end > last:
            return None     # they overlap
        text, last = text[:start] + new + text[end:], start
    return text


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


def opcodes(old, new):
    """Return what differs between two sequences."""
    return [code[1:] for code in difflib.SequenceMatcher(
        None, old, new, autojunk=False).get_opcodes() if code[0] != "equal"]


def compared(old, new):
    """Return what changed: (line, before, after), in whole statements."""
    ours, theirs = pieces(old), pieces(new)
    return [(1 + sum(len(lines_of(piece)) for piece in ours[:i]),
             "".join(ours[i:j]), "".join(theirs[k:n]))
            for i, j, k, n in opcodes(ours, theirs)]


def effort(old, new):
    """Return how much was changed: statements, then characters."""
    changes = opcodes(pieces(old), pieces(new))
    return (sum(max(j - i, n - k) for i, j, k, n in changes), sum(
        max(j - i, n - k) for _, before, after in compared(old, new)
        for i, j, k, n in opcodes(before, after)))


def said(old, steps):
    """Return a sentence for each change between a text and the last step's.

    steps: (text, sentence), each an edit of the one before.
    """
    parts, last = [], old
    for new, sentence in steps:
        parts += [(part, sentence) for _, *both in compared(last, new)
                  for part in both if part.strip()]
        last = new
    every = list(dict.fromkeys(sentence for _, sentence in steps))
    return [" ".join(dict.fromkeys(
        sentence for part, sentence in parts
        if part in before or part in after)) or " ".join(every)
        for _, before, after in compared(old, last)]
