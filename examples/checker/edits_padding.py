"""Edits of the padding: the zeros on each side become those of a rule.

An edit is given a scene and yields a sentence and changes: (start, end, new
text) of pieces of the source.
"""
import ast
import re

from .source import statement_of

RULES = ("size", "floor", "keras")


def called(node):
    """Return the last name of the function that a call is of, or None."""
    if isinstance(node, ast.Call):
        return getattr(node.func, "attr", getattr(node.func, "id", None))
    return None


def elements(node):
    """Return the elements of a tuple or list, else nothing."""
    return node.elts if isinstance(node, (ast.Tuple, ast.List)) else []


def follow(s, node, anchor):
    """Return the expression that gave a name its value before anchor."""
    for level in range(9):
        if isinstance(node, ast.Subscript) and isinstance(
                node.slice, ast.Constant):
            parts = elements(follow(s, node.value, anchor))
            if not isinstance(node.slice.value, int) or not (
                    -1 < node.slice.value < len(parts)):
                return node
            node = parts[node.slice.value]
            continue
        if not isinstance(node, ast.Name):
            return node
        found = None
        for one in s.nodes(ast.Assign):
            if one.lineno >= statement_of(anchor).lineno or statement_of(
                    one, ast.FunctionDef) is not statement_of(
                    anchor, ast.FunctionDef) or not (
                    s.runs(one, "same") or s.runs(one, "max")
                    or not s.known(one)):
                continue
            for target in one.targets:
                if getattr(target, "id", None) == node.id:
                    found = one.value, one
                for i, part in enumerate(elements(target)):
                    if getattr(part, "id", None) == node.id:
                        parts = elements(one.value)
                        found = (parts[i] if len(parts) == len(elements(
                            target)) else one.value), one
                        if level and not parts:     # of a shape, say
                            return node
        if not found:
            return node
        node, anchor = found
    return node


def slices(node):
    """Return the rows' and the columns' slice of a subscript, or None."""
    found = [part for part in elements(getattr(node, "slice", None))
             if isinstance(part, ast.Slice) and (part.lower or part.upper)]
    return found if len(found) == 2 else None


def widths(s):
    """Yield where images are padded: a node, and the zeros of each side.

    The zeros: {("h", 0): node of the rows above, ("h", 1): below, ...}.
    """
    for node in s.nodes(ast.Call, ast.Subscript):
        pair = ()
        if called(node) == "pad":
            table = [*node.args[1:2], *[word.value for word in node.keywords
                                        if word.arg == "pad_width"]]
            parts = elements(follow(s, table[0], node)) if table else []
            first = 1 if len(parts) == 4 else 0
            pair = [elements(follow(s, part, node))
                    for part in parts[first:first + 2]]
        elif isinstance(node, ast.Subscript) and slices(node) and isinstance(
                node.ctx, ast.Store) and not moving(s, node):
            pair = [[one.lower] * bool(one.lower) for one in slices(node)]
        if len(pair) == 2 and all(pair):
            yield node, {(axis, side): width for axis, row in zip("hw", pair)
                         for side, width in enumerate(row)}


def moving(s, node):
    """Tell whether a subscript's slices move with a loop over the output."""
    counters = {one.id for loop in s.ancestors(node) if isinstance(
        loop, ast.For) for one in ast.walk(loop.target)
        if isinstance(one, ast.Name)}
    return any(isinstance(part, ast.Name) and part.id in counters
               and s.counter(part) != "m"
               for one in slices(node) for bound in (one.lower, one.upper)
               if bound for part in ast.walk(follow(s, bound, node)))


def formula(s, rule, axis, side, node):
    """Return the zeros of a side under a rule of "same", as text."""
    size, kernel, stride = (s.named(role, node) for role in (
        f"{axis}_prev", f"k{axis}", f"s{axis}"))
    if not (size and kernel and stride):
        return None
    total = f"({size} - 1) * {stride} + {kernel} - {size}"
    if rule == "keras":
        total = (f"max((-(-{size} // {stride}) - 1) * {stride} + {kernel} "
                 f"- {size}, 0)")
        return f"({total} + 1) // 2" if side else f"{total} // 2"
    return f"({total} + 1) // 2" if rule == "size" else f"({total}) // 2"


def halves(s, site):
    """Yield a half of what a width is the half of, rounded up and down."""
    whole = next((part.left for part in ast.walk(site) if isinstance(
        part, ast.BinOp) and isinstance(part.op, (ast.Div, ast.FloorDiv))
        and getattr(part.right, "value", None) == 2), site)
    if not isinstance(whole, ast.Constant):
        yield f"({s.of(whole)} + 1) // 2"
        yield f"({s.of(whole)}) // 2"


def why(s, site, axis):
    """Return what is wrong with the expression of a width."""
    text, roles = s.of(site), set()
    for part in ast.walk(site):
        if isinstance(part, (ast.Name, ast.Subscript)):
            roles |= s.roles(part)
    other = "hw".replace(axis, "")
    for wrong, end in (
            (re.search(r"// ?2\s*\)?\s*\+ ?1$", text),
             "is `// 2 + 1`: one too many where the total is even"),
            (re.search(r"\bround|rint", text), "is rounded with round()"),
            ("%" in text, "looks at the kernel's parity alone"),
            ({f"k{other}", f"s{other}", f"{other}_prev"} & roles
             and not {f"k{axis}", f"{axis}_prev"} & roles,
             "mixes up the axes"),
            (not isinstance(site, ast.Constant) and not {"sh", "sw"} & roles
             and not re.search("str|sh|sw|s_", text),
             "is computed without the stride"),
            ("2" not in text and not isinstance(site, ast.Name),
             "is not halved")):
        if wrong:
            return f'The padding of "same" {end}.'
    return 'The padding of "same" follows none of the rules in use.'


def padding(s):
    """The zeros on each side become those of a rule, on both axes."""
    word = s.given.get("padding", "padding")
    for anchor, sides in widths(s):
        sites = {key: follow(s, node, anchor) for key, node in sides.items()}
        always = s.runs(anchor, "valid") and all(
            s.runs(site, "valid") for site in sites.values())
        sentence = "padding is not looked at." if always else why(
            s, sites["h", 0], "h")
        for rule in RULES:
            for where in (sites, sides):
                end = f' if {word} == "same" else 0' * (s.runs(
                    anchor, "valid") and all(s.runs(site, "valid")
                                             for site in where.values()))
                found = [*replaced(s, where, {key: formula(
                    s, rule, *key, site) for key, site in where.items()},
                    end, sentence)]
                yield from found
                if found:
                    break
        for way in zip(*[halves(s, site) for site in sites.values()]):
            yield from replaced(s, sites, dict(zip(sites, way)), "", sentence)
        names = {key: s.of(node) for key, node in sides.items()
                 if isinstance(node, ast.Name)}
        for rule in RULES * (len(names) == len(sides)):
            texts = {name: formula(s, rule, *key, anchor)
                     for key, name in reversed(names.items())}
            if all(texts.values()):
                end = f' if {word} == "same" else 0' * s.runs(anchor, "valid")
                yield (why(s, sites["h", 0], "h"), [s.source.before(
                    statement_of(anchor), *[f"{name} = {text}{end}"
                                            for name, text in texts.items()])])


def replaced(s, where, way, end, sentence):
    """Yield the change of each width, if they do not contradict."""
    texts = {}
    for key, site in where.items():
        if way[key] is None:
            return
        texts.setdefault(s.source.span(site), []).append((key, way[key]))
    changes = []
    for span, found in texts.items():
        several = [text for _, text in found]
        if len({axis for (axis, _), _ in found}) > 1:   # a, b = helper()
            several = list(dict.fromkeys(several))
            site = statement_of(where[found[0][0]])
            if not isinstance(site, ast.Assign) or len(several) != len(
                    elements(site.targets[0])):
                return
            changes.append((*span, ", ".join(
                f"({text}{end})" if end else text for text in several)))
        elif len(set(several)) > 1:
            return      # the two sides of an axis are one name
        else:
            changes.append((*span, several[0] + end))
    yield sentence, changes
