"""What a student's function knows, line by line, in a few telling calls."""
import ast
import difflib
import re

import numpy as np

from .source import statement_of

PLAIN = (ast.Name, ast.Load, ast.Attribute, ast.Subscript, ast.Constant,
         ast.Tuple, ast.UnaryOp, ast.USub)


def alike(found):
    """Return the roles that agree with [(roles, number)] where they are."""
    every = {role for roles, number in found for role in roles}
    return {role for role in every if all(
        roles.get(role, number) == number for roles, number in found)}


class Scene:
    """A text, its functions, and what their names mean at each line.

    calls: [(kind, roles, lines)], with roles such as {"kh": 3}.
    """

    def __init__(self, source, name, calls, parameters):
        """Find the function and those of the file that it calls."""
        self.source, self.name, self.calls = source, name, calls
        self.change, self.of = source.change, source.of
        every = {node.name: node for node in source.tree.body
                 if isinstance(node, ast.FunctionDef)}
        self.main, self.live = every.get(name), []
        waiting = [name]
        while waiting:
            one = every.get(waiting.pop(0))
            if one and one not in self.live:
                self.live.append(one)
                waiting += [node.id for node in ast.walk(one)
                            if isinstance(node, ast.Name)]
        self.all = [node for one in self.live for node in ast.walk(one)
                    if hasattr(node, "lineno")]
        self.all.sort(key=lambda node: (node.lineno, node.col_offset))
        self.skeletons, self.places = {}, {}
        given = [a.arg for a in self.main.args.args] if self.main else []
        self.given = dict(zip(parameters, given))

    def nodes(self, *types):
        """Return the nodes of some types, as they stand in the text."""
        return [node for node in self.all if isinstance(node, types)]

    def known(self, node):
        """Return what is known where a node is: [(kind, roles, names)]."""
        place = (min(statement_of(node).lineno, node.lineno),
                 getattr(node, "end_lineno", node.lineno))
        if place not in self.places:
            first, last = place
            self.places[place] = [(kind, roles, lines[at[0]])
                                  for kind, roles, lines in self.calls
                                  for at in [[i for i in range(
                                      first, last + 1) if i in lines]] if at]
        return self.places[place]

    def runs(self, node, kind):
        """Tell whether the line of a node runs in a call of a kind."""
        return any(one == kind for one, _, _ in self.known(node))

    def values(self, node):
        """Return [(roles, value)] of an expression that no loop changes."""
        if not all(isinstance(part, PLAIN) for part in ast.walk(node)):
            return []
        found = []
        for _, roles, names in self.known(node):
            try:
                fixed = {name: value for name, (value, low, high)
                         in names.items() if low == high}
                found.append((roles, eval(self.of(node),
                                          {"__builtins__": {}}, fixed)))
            except Exception:
                return []
        return found

    def roles(self, node):
        """Return what an expression is, by its value in all calls."""
        return alike([(roles, value) for roles, value in self.values(node)
                      if isinstance(value, (int, np.integer))])

    def counter(self, node):
        """Return which size a loop's variable counts to, or None."""
        loop = node
        while loop and not isinstance(loop, ast.FunctionDef):
            if isinstance(loop, ast.For) and node not in (
                    loop.target, loop.iter):
                targets = getattr(loop.target, "elts", [loop.target])
                for i, target in enumerate(targets):
                    if getattr(target, "id", "") == getattr(node, "id", None):
                        return self.counted(loop, i, target.id)
            loop = loop.parent
        return None

    def counted(self, loop, i, name):
        """Return which size the i-th variable of a loop counts to."""
        known = [(roles, *names.get(name, (0, 1, 0))[1:])
                 for _, roles, names in self.known(loop.body[0])]
        found = alike([(roles, high + 1) for roles, low, high in known
                       if low == 0])
        arguments = getattr(loop.iter, "args", [])
        by_word = self.roles(arguments[i]) if i < len(arguments) else set()
        if len(arguments) == 1 and isinstance(loop.target, ast.Tuple):
            by_word = alike([
                (roles, shape[i]) for roles, shape in self.values(arguments[0])
                if isinstance(shape, tuple) and i < len(shape)])
        found = found & by_word or found or by_word
        return min(found, default=None, key=lambda role: (
            role not in ("h_new", "w_new"), role))

    def named(self, role, node):
        """Return the text that means a role where a node is, or None."""
        known = self.known(node)
        names = {name for _, _, names in known for name in names}
        fit = [name for name in sorted(names) if name.isidentifier() and all(
            isinstance(values.get(name, [None])[0], (int, np.integer))
            and values[name] == [roles.get(role, values[name][0])] * 3
            for _, roles, values in known)
            and any(role in roles for _, roles, _ in known)]
        if fit:
            return max(fit, key=lambda name: difflib.SequenceMatcher(
                None, name, role).ratio())
        for array, axes in (("A_prev", ["m", "h_prev", "w_prev", "c_prev"]),
                            ("W", ["kh", "kw", "", "c_new"]),
                            ("kernel_shape", ["kh", "kw"]),
                            ("stride", ["sh", "sw"]),
                            ("dZ", ["", "h_new", "w_new", "c_new"]),
                            ("dA", ["", "h_new", "w_new"])):
            if role in axes and array in self.given and self.main in (
                    self.ancestors(node)):
                shape = ".shape" * array[0].isupper() or ".shape" * (
                    array[0] == "d")
                return f"{self.given[array]}{shape}[{axes.index(role)}]"
        return None

    def loop_name(self, role, node):
        """Return the variable of a loop around a node that counts a role."""
        for loop in self.ancestors(node):
            if isinstance(loop, ast.For):
                for i, target in enumerate(getattr(
                        loop.target, "elts", [loop.target])):
                    if isinstance(target, ast.Name) and self.counted(
                            loop, i, target.id) == role:
                        return target.id
        return None

    def arrays(self, node, test):
        """Return the names of arrays that fit where a node is."""
        known = self.known(node)
        names = {name for _, _, names in known for name in names}
        return [name for name in sorted(names) if known and all(
            isinstance(values.get(name, [None])[0], np.ndarray)
            for _, _, values in known) and test(
                [(roles, values[name][0]) for _, roles, values in known])]

    def padded(self, found):
        """Tell whether arrays are those of padded images, by their shapes."""
        shapes = [(value.shape, (roles["m"], roles["h_prev"], roles["w_prev"],
                                 roles["c_prev"])) for roles, value in found
                  if isinstance(value, np.ndarray)]
        return bool(shapes) and len(shapes) == len(found) and all(
            len(shape) == 4 and shape[0] == usual[0] and shape[3] == usual[3]
            for shape, usual in shapes) and any(
                shape != usual for shape, usual in shapes)

    def ancestors(self, node):
        """Yield a node and those around it."""
        while node is not None:
            yield node
            node = node.parent

    def twin(self, node):
        """Return the node that does the same for the other axis, or None."""
        def skeleton(one):
            if one not in self.skeletons:
                self.skeletons[one] = type(one.parent).__name__ + re.sub(
                    r"id='\w+'|value=-?\d+", "", ast.dump(one))
            return self.skeletons[one]
        alike = [one for one in self.nodes(type(node)) if one is not node
                 and abs(one.lineno - node.lineno) < 9
                 and skeleton(one) == skeleton(node)
                 and not {one, node} & {*self.ancestors(node.parent),
                                        *self.ancestors(one.parent)}]
        place = self.all.index
        return min(alike, default=None, key=lambda one: (
            abs(one.lineno - node.lineno), place(one) < place(node)))

    def both(self, node, new):
        """Yield the change of a node, and with that of its twin."""
        yield [self.change(node, new(node))]
        twin = self.twin(node)
        if twin is not None:
            yield [self.change(node, new(node)),
                   self.change(twin, new(twin))]
