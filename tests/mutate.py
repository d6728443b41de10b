#!/usr/bin/env python3
"""Test the tests: change the modules in small ways and see the suite fail.

Not run by pytest: it takes a quarter of an hour. Prints what no test noticed.
Left alone are docstrings and the lines that choose a block's size, a layout
or a cost, which no result may depend on (tests/test_blocks.py).

    python tests/mutate.py [0-conv_forward.py ...]
"""
import ast
import copy
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
SWAPS = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult, ast.Pow: ast.Mult, ast.BitXor: ast.BitOr,
    ast.BitAnd: ast.BitOr, ast.Div: ast.Mult, ast.USub: ast.UAdd,
    ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Lt: ast.LtE, ast.LtE: ast.Lt,
    ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.In: ast.NotIn, ast.And: ast.Or,
    ast.Or: ast.And}
NAMES = {"min": "max", "max": "min", "all": "any", "h": "w", "w": "h",
         "kh": "kw", "kw": "kh", "sh": "sw", "sw": "sh", "maximum": "minimum",
         "zeros": "empty", "h_new": "w_new", "w_new": "h_new", "x": "y",
         "h_prev": "w_prev", "top": "bottom", "left": "right"}


def changed(node):
    """Yield copies of a node, each changed in one small way."""
    def copied(**fields):
        twin = copy.copy(node)
        for name, value in fields.items():
            setattr(twin, name, value)
        return twin

    if isinstance(node, (ast.BinOp, ast.AugAssign, ast.UnaryOp, ast.BoolOp)):
        if type(node.op) in SWAPS:
            yield copied(op=SWAPS[type(node.op)]())
    if isinstance(node, ast.AugAssign):
        yield ast.Assign([node.target], node.value)
    if isinstance(node, ast.Compare) and type(node.ops[0]) in SWAPS:
        yield copied(ops=[SWAPS[type(node.ops[0])](), *node.ops[1:]])
    if isinstance(node, (ast.If, ast.IfExp)):
        yield copied(test=ast.UnaryOp(ast.Not(), node.test))
    if isinstance(node, ast.Constant):
        if isinstance(node.value, bool):
            yield copied(value=not node.value)
        elif isinstance(node.value, int):
            yield copied(value=node.value + 1)
        elif node.value in ("C", "F", "max", "avg", "same", "valid", "first",
                            "all", "m", "f", "biuf"):
            yield copied(value=node.value[1:] + "?")
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if node.id in NAMES:
            yield copied(id=NAMES[node.id])
    if isinstance(node, ast.Attribute) and node.attr in NAMES:
        yield copied(attr=NAMES[node.attr])
    if isinstance(node, (ast.Expr, ast.AugAssign, ast.Continue)):
        yield ast.Pass()


class Replace(ast.NodeTransformer):
    """Put a new node in the place of an old one."""

    def __init__(self, old, new):
        self.old, self.new = old, new

    def visit(self, node):
        return self.new if node is self.old else self.generic_visit(node)


TUNING = ("order, size = ", "memory = ", "return run(t)",
          "return range(c_prev) if ", "in _blocks(")


def places(tree, seen):
    """Return the nodes to change, those of each twin helper once."""
    parts = [part for part in tree.body if isinstance(part, ast.FunctionDef)
             and ast.unparse(part) not in seen]
    tuning = {node.lineno for part in parts for node in ast.walk(part)
              if isinstance(node, (ast.Assign, ast.Return, ast.For))
              and any(text in ast.unparse(node).splitlines()[0]
                      for text in TUNING)}
    return [node for part in parts for node in ast.walk(part)
            if getattr(node, "lineno", 0) not in tuning
            and not (isinstance(node, ast.Expr)
                     and isinstance(node.value, ast.Constant))]


def mutants(text, seen=()):
    """Yield line, what it says now, and the whole changed text."""
    for index, place in enumerate(places(ast.parse(text), seen)):
        for which in range(len(list(changed(place)))):
            tree = ast.parse(text)
            old = places(tree, seen)[index]
            new = list(changed(old))[which]
            before = ast.unparse(old).splitlines()[0]
            line = getattr(old, "lineno", 0)
            Replace(old, new).visit(tree)
            tree = ast.fix_missing_locations(tree)
            yield (line, f"{before}  ->  {ast.unparse(new).splitlines()[0]}",
                   ast.unparse(tree))


def survives(filename, text):
    """Tell whether all tests, but those of form, pass with the new text."""
    with tempfile.TemporaryDirectory() as folder:
        for name in [*ROOT.glob("*.py"), ROOT / "pytest.ini"]:
            shutil.copy(name, folder)
        for name in ("tests", "examples"):
            shutil.copytree(ROOT / name, Path(folder) / name)
        (Path(folder) / filename).write_text(text)
        # Without TensorFlow a run takes seconds.
        (Path(folder) / "tests" / "tensorflow.py").write_text(
            "raise ModuleNotFoundError('tensorflow')")
        name = filename[2:-len(".py")]
        files = [f"tests/test_{name}.py", "tests/test_refusals.py",
                 "tests/test_properties.py", "tests/test_blocks.py"]
        if "forward" in name:
            files.append(f"tests/test_{name.replace('for', 'back')}.py")
        try:
            return subprocess.run(
                [sys.executable, "-m", "pytest", "-q", "-x", "-p",
                 "no:cacheprovider", *files], cwd=folder, timeout=40,
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1"},
                capture_output=True).returncode == 0
        except subprocess.TimeoutExpired:
            return False


def main(filenames):
    jobs, seen = [], set()
    for filename in filenames:
        text = (ROOT / filename).read_text()
        jobs += [(filename, *mutant) for mutant in mutants(text, seen)]
        seen.update(map(ast.unparse, ast.parse(text).body))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        alive = list(tqdm(pool.map(lambda job: survives(job[0], job[3]),
                                   jobs), total=len(jobs), unit="mutant"))
    for (filename, line, change, _), survived in zip(jobs, alive):
        if survived:
            print(f"{filename}:{line}: {change}")
    killed = len(jobs) - sum(alive)
    print(f"{killed} of {len(jobs)} mutants killed: {killed / len(jobs):.1%}")


if __name__ == "__main__":
    main(sys.argv[1:] or sorted(
        path.name for path in ROOT.glob("[0-3]-*.py")))
