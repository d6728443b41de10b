"""A student's function: its text, its tree, and what its names mean.

A name is known by its value in a few telling calls, in which all sizes differ,
at each line: a loop may use a name for something else later.
"""
import ast
import difflib

import numpy as np

from .source import Text, called, elements, up

PLAIN = (ast.Name, ast.Load, ast.Attribute, ast.Subscript, ast.Constant,
         ast.Tuple, ast.UnaryOp, ast.USub)
SIZES = {"A_prev": ["m", "h_prev", "w_prev", "c_prev"],
         "W": ["kh", "kw", None, "c_new"], "kernel_shape": ["kh", "kw"],
         "stride": ["sh", "sw"], "dZ": [None, "h_new", "w_new", "c_new"],
         "dA": [None, "h_new", "w_new"]}


def alike(found):
    """Return the roles that agree with [(roles, number)] where they are."""
    every = set().union(*[roles for roles, _ in found])
    return {role for role in every if all(
        roles.get(role, number) == number for roles, number in found)}


class Scene(Text):
    """A text, the function in it, and those of the file that it calls.

    calls: [(kind, roles, traced lines)], with roles such as {"kh": 3}.
    """

    def __init__(self, text, name, calls, parameters):
        """Find the function, and what its parameters are called."""
        super().__init__(text)
        self.name, self.calls = name, calls
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
        first = min(up(node, ast.stmt).lineno, node.lineno)
        place = first, getattr(node, "end_lineno", node.lineno)
        if place not in self.places:
            self.places[place] = [
                (kind, roles, lines[at[0]]) for kind, roles, lines in
                self.calls for at in [[i for i in range(
                    place[0], place[1] + 1) if i in lines]] if at]
        return self.places[place]

    def kinds(self, node):
        """Return the kinds of calls in which the line of a node runs."""
        return {kind for kind, _, _ in self.known(node)}

    def values(self, node):
        """Return [(roles, value)] of an expression that no loop changes."""
        found = []
        if all(isinstance(part, PLAIN) for part in ast.walk(node)):
            for _, roles, names in self.known(node):
                try:
                    found.append((roles, eval(
                        self.of(node), {"__builtins__": {}}, {
                            name: value for name, (value, fixed) in
                            names.items() if fixed})))
                except Exception:
                    return []
        return found

    def roles(self, node):
        """Return what an expression is, by its value in all calls."""
        key = self.of(node), id(self.known(node))
        if key not in self.meant:
            self.meant[key] = alike([
                (roles, value) for roles, value in self.values(node)
                if isinstance(value, (int, np.integer))])
        return self.meant[key]

    def numbers(self, node):
        """Return {name: what it is} of the whole numbers where a node is."""
        known = self.known(node)
        if id(known) not in self.meant:
            self.meant[id(known)] = {
                name: alike(found) if len(found) == len(known) else set()
                for name in sorted(set().union(*[names for *_, names in known]
                                               )) if name.isidentifier()
                for found in [[
                    (roles, names[name][0]) for _, roles, names in known
                    if names.get(name, [None, False])[1] and isinstance(
                        names[name][0], (int, np.integer))]] if found}
        return self.meant[id(known)]

    def named(self, role, node):
        """Return the text that means a role where a node is, or None."""
        fit = [name for name, roles in self.numbers(node).items()
               if role in roles]
        if fit:
            return max(fit, key=lambda name: difflib.SequenceMatcher(
                None, name, role).ratio())
        for array, sizes in SIZES.items():
            if role in sizes and array in self.given and (
                    up(node, ast.FunctionDef) is self.main):
                return self.given[array] + ".shape" * (
                    array[0] in "AWd") + f"[{sizes.index(role)}]"

    def varying(self, node):
        """Return the names of numbers that change, as a window's start."""
        return sorted({name for _, _, names in self.known(node)
                       for name, (value, fixed) in names.items()
                       if not fixed})

    def loops(self, node):
        """Return the variables of the loops around a node."""
        return [part.id for loop in self.around(node)
                for part in ast.walk(loop.target)
                if isinstance(part, ast.Name)]

    def around(self, node):
        """Yield the loops around a node."""
        loop = up(node, ast.For)
        while loop:
            yield loop
            loop = up(loop.parent, ast.For)

    def counter(self, role, node):
        """Return the variable of a loop around a node that counts a role."""
        for loop in self.around(node):
            for i, target in enumerate(elements(loop.target) or [loop.target]):
                if isinstance(target, ast.Name) and role in self.counted(
                        loop, i):
                    return target.id

    def counted(self, loop, i):
        """Return which sizes the i-th variable of a loop counts to."""
        ends = [node for call in ast.walk(loop.iter)
                if called(call) in ("range", "ndindex")
                for node in (call.args[1:2] or call.args if called(call) ==
                             "range" else call.args)]
        if i < len(ends):
            found = self.roles(ends[i])
            if found:
                return found
        return alike([
            (roles, value[i]) for node in ends[:1] for roles, value in
            self.values(getattr(node, "value", node) if isinstance(
                node, ast.Starred) else node)
            if isinstance(value, tuple) and i < len(value)])

    def arrays(self, node, sizes=None):
        """Return the names of arrays, of so many sizes, where a node is."""
        known = [names for *_, names in self.known(node)]
        return [name for name in sorted(set().union(*known)) if all(
            name in names and isinstance(names[name][0], np.ndarray)
            and sizes in (None, names[name][0].ndim) for names in known)]

    def follow(self, node):
        """Return the expression that gave a name, or t[0], its value."""
        for _ in range(9):
            part = None
            if isinstance(node, ast.Subscript) and isinstance(getattr(
                    node.slice, "value", None), int):
                parts = elements(self.follow(node.value))
                part = parts[node.slice.value] if len(
                    parts) > node.slice.value >= 0 else None
            elif isinstance(node, ast.Name):
                part = self.assigned(node.id, node)
            if part is None:
                return node
            node = part
        return node

    def assigned(self, name, anchor):
        """Return the last expression that gave a name its value, or None."""
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
