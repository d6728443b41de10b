"""A student's function: its text, its tree, and what its names mean.

A name is known by its values in the judged calls, at each line: h_prev has
that value in every call, and the y of a loop runs from 0 to h_new - 1.
"""
import ast
import difflib

import numpy as np

from .source import Text, called, elements, slices, up

PLAIN = (ast.Name, ast.Load, ast.Attribute, ast.Subscript, ast.Constant,
         ast.Tuple, ast.UnaryOp, ast.USub)
SIZES = {"A_prev": ["m", "h_prev", "w_prev", "c_prev"],
         "W": ["kh", "kw", None, "c_new"], "kernel_shape": ["kh", "kw"],
         "stride": ["sh", "sw"], "A": [None, "h_new", "w_new"],
         "dA": [None, "h_new", "w_new"],
         "dZ": [None, "h_new", "w_new", "c_new"]}
COUNTERS = {"n": "m", "y": "h_new", "x": "w_new", "c": "c_prev", "k": "c_new",
            "i": "kh", "j": "kw"}


def roles_of(arguments):
    """Return {role: its value} in a call, or "0 to 4" of a counter."""
    roles = {role: size for name, sizes in SIZES.items() if name in arguments
             for role, size in zip(sizes, getattr(
                 arguments[name], "shape", arguments[name])) if role}
    return {**roles, **{
        letter: f"0 to {roles[size] - 1}" if roles[size] > 1 else 0
        for letter, size in COUNTERS.items() if size in roles}}


class Scene(Text):
    """A text, the function in it, and those of the file that it calls.

    calls: [(kind, arguments, and the shape of A where all rules give the
    same, traced lines)]. A role is "kh", with a value in each call.
    """

    def __init__(self, text, name, calls, parameters):
        """Find the function, and what its parameters are called."""
        super().__init__(text)
        self.calls = [(kind, roles_of(arguments), lines)
                      for kind, arguments, lines in calls]
        every = {node.name: node for node in self.tree.body
                 if isinstance(node, ast.FunctionDef)}
        self.main, live, waiting = every[name], [], [name]
        for one in map(every.get, waiting):
            if one and one not in live:
                live.append(one)
                waiting += [node.id for node in ast.walk(one)
                            if isinstance(node, ast.Name)]
        self.all = sorted(
            (node for one in live for node in ast.walk(one)
             if hasattr(node, "lineno")),
            key=lambda node: (node.lineno, node.col_offset))
        self.given = dict(zip(parameters, [
            one.arg for one in self.main.args.args]))
        self.places, self.meant = {}, {}

    def nodes(self, *kinds):
        """Return the nodes of some kinds, as they stand in the text."""
        return [node for node in self.all if isinstance(node, kinds)]

    def known(self, node):
        """Return what is known where a node is: [(kind, roles, names)]."""
        place = up(node, ast.stmt).lineno, node.end_lineno
        if place not in self.places:
            self.places[place] = [
                (kind, roles, lines[at[0]]) for kind, roles, lines in
                self.calls for at in [[i for i in range(
                    place[0], place[1] + 1) if i in lines]] if at]
        return self.places[place]

    def axis(self, node):
        """Return 0 in the slice of rows, 1 in that of columns, or None."""
        inside = up(node, ast.Slice)
        both = slices(up(inside, ast.Subscript))
        return both.index(inside) if inside in both else None

    def indexed(self, node):
        """Return the subscript of which a node is an element, or None."""
        place = node.parent.parent if isinstance(
            node.parent, ast.Tuple) else node.parent
        return place if isinstance(place, ast.Subscript) and (
            node is not place.value) else None

    def kinds(self, node):
        """Return the kinds of calls in which the line of a node runs."""
        return {kind for kind, _, _ in self.known(node)}

    def values(self, node):
        """Return what an expression is in each call, or nothing."""
        found = []
        if all(isinstance(part, PLAIN) for part in ast.walk(node)):
            for _, _, names in self.known(node):
                try:
                    found.append(eval(self.of(node), {"__builtins__": {}}, {
                        name: value for name, (value, low, high) in
                        names.items() if low == high}))     # no counter
                except Exception:
                    return []
        return found

    def roles(self, node):
        """Return what a whole number is, or None if it is none."""
        if isinstance(node, ast.Name):
            return self.numbers(node).get(node.id)
        values = self.values(node)
        if values and all(isinstance(one, (int, np.integer))
                          for one in values):
            return self.alike(node, values)

    def alike(self, node, values):
        """Return the roles that have these values in the calls."""
        every = [roles for _, roles, _ in self.known(node)]
        return {role for role in set().union(*every) if all(
            roles.get(role, value) == value
            for roles, value in zip(every, values))}

    def numbers(self, node):
        """Return {name: what it is} of the whole numbers where a node is."""
        known = self.known(node)
        if id(known) not in self.meant:
            self.meant[id(known)] = {
                name: self.alike(node, [
                    low if low == high else f"{low} to {high}"
                    for _, low, high in [names[name] for *_, names in known]
                    ])
                for name in sorted(set().union(*[names for *_, names in known]
                                               ))
                if all(names.get(name, [0, None])[1] is not None
                       for *_, names in known)}
        return self.meant[id(known)]

    def named(self, role, node):
        """Return the text that means a role where a node is, or None."""
        here = up(node, ast.FunctionDef) is self.main
        if role in self.given:
            return self.given[role] if here else None
        fit = [name for name, roles in self.numbers(node).items()
               if role in roles]
        if fit:
            return max(fit, key=lambda name: difflib.SequenceMatcher(
                None, name, role).ratio())
        for array, sizes in SIZES.items():
            if here and role in sizes and array in self.given:
                return self.given[array] + ".shape" * (
                    array[0] in "AWd") + f"[{sizes.index(role)}]"

    def varying(self, node):
        """Return the names of numbers that change, as those of loops."""
        return [name for name in self.numbers(node) if any(
            names[name][1] != names[name][2] for *_, names in self.known(node)
            )]

    def arrays(self, node, sizes=None):
        """Return the names of arrays, of so many sizes, where a node is."""
        known = [names for *_, names in self.known(node)]
        return [name for name in sorted(set().union(*known)) if all(
            name in names and isinstance(names[name][0], np.ndarray)
            and sizes in (None, names[name][0].ndim) for names in known)]

    def follow(self, node):
        """Return the expression that gave a name, or t[0], its value."""
        part = None
        if isinstance(node, ast.Name):
            part = self.assigned(node.id, node)
        elif isinstance(node, ast.Subscript) and isinstance(getattr(
                node.slice, "value", None), int):
            part = dict(enumerate(elements(self.follow(node.value)))).get(
                node.slice.value)
        return self.follow(part) if part else node

    def assigned(self, name, anchor):
        """Return the last expression before that gave a name its value.

        That is one of the same function, and not for "valid" alone.
        """
        found = None
        for one in self.nodes(ast.Assign):
            if one.lineno < up(anchor, ast.stmt).lineno and (
                    self.kinds(one) != {"valid"}) and (
                    up(one, ast.FunctionDef) is up(anchor, ast.FunctionDef)):
                for target in one.targets:
                    names = [getattr(part, "id", None)
                             for part in elements(target) or [target]]
                    if name in names:
                        parts = elements(one.value)
                        found = parts[names.index(name)] if len(
                            parts) == len(names) else one.value if (
                            len(names) == 1 or called(one.value)) else None
        return found

    def widths(self):
        """Yield where images are padded: a node, {("h", 0): rows above, ...}.

        That is np.pad, or the slice of zeros into which they are written.
        """
        for node in self.nodes(ast.Call, ast.Subscript):
            pair = ()
            if called(node) == "pad":
                table = [*node.args[1:2], *[
                    word.value for word in node.keywords
                    if word.arg == "pad_width"]]
                parts = elements(self.follow(table[0])) if table else []
                first = int(len(parts) == 4)
                pair = [elements(self.follow(part))
                        for part in parts[first:first + 2]]
            elif slices(node) and isinstance(node.ctx, ast.Store) and not any(
                    getattr(part, "id", None) in self.varying(node)
                    for one in slices(node) for part in ast.walk(one)):
                pair = [[one.lower] * bool(one.lower) for one in slices(node)]
            if len(pair) == 2 and all(pair):
                yield node, {(axis, side): width
                             for axis, row in zip("hw", pair)
                             for side, width in enumerate(row)}
