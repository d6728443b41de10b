"""Each module stands alone, as graders and notebooks use it."""
import ast
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict

import pycodestyle
import pytest

from cases import integers
from common import ROOT, load_module, same_Z

MODULES = {
    "0-conv_forward.py": 'A_prev, W, b, activation, padding="same", '
                         'stride=(1, 1)',
    "1-pool_forward.py": "A_prev, kernel_shape, stride=(1, 1), mode='max'",
    "2-conv_backward.py": 'dZ, A_prev, W, b, padding="same", stride=(1, 1)',
    "3-pool_backward.py": "dA, A_prev, kernel_shape, stride=(1, 1), "
                          "mode='max', ties='all'",
    "5-lenet5.py": "X",
}
every_module = pytest.mark.parametrize("filename", MODULES)
numpy_module = pytest.mark.parametrize("filename", list(MODULES)[:4])

# As a grader imports it; then its own examples are run.
GRADER = """
import doctest, sys
{name} = __import__('{stem}').{name}
module = sys.modules['{stem}']
public = {{name for name in vars(module) if not name.startswith('_')}}
assert public == {{'{name}', '{alias}'}}, public
for other in ('tensorflow', 'keras', 'scipy', 'torch'):
    assert '{alias}' == 'K' or other not in sys.modules, other
failed, tried = doctest.testmod(module)
assert tried > 1 and not failed
"""


def parsed(filename):
    return ast.parse((ROOT / filename).read_text(encoding="utf-8"),
                     feature_version=(3, 9))


@pytest.mark.parametrize("filename, alone", [
    *((name, True) for name in MODULES),
    *(pytest.param(name, False, marks=pytest.mark.slow) for name in MODULES)])
def test_a_grader_can_import_and_call_it(filename, alone, tmp_path, request):
    if filename.startswith("5"):
        request.getfixturevalue("tf")
    folder = ROOT
    if alone:
        folder = tmp_path
        shutil.copy(ROOT / filename, folder)
    stem = filename[:-len(".py")]
    code = GRADER.format(stem=stem, name=stem[2:],
                         alias="K" if stem == "5-lenet5" else "np")
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True,
                   env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


@every_module
def test_its_form_is_what_graders_check(filename):
    text = (ROOT / filename).read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env python3\n")
    assert text.endswith("\n") and not text.endswith("\n\n")
    assert os.access(ROOT / filename, os.X_OK)
    report = pycodestyle.StyleGuide(quiet=True).check_files(
        [str(ROOT / filename)])
    assert report.total_errors == 0, report.get_statistics()


@every_module
def test_it_has_one_import_and_one_public_function(filename):
    tree = parsed(filename)
    imports = [ast.unparse(node) for node in ast.walk(tree)
               if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert imports == ["from tensorflow import keras as K"
                       if filename.startswith("5") else "import numpy as np"]
    functions = [node for node in tree.body
                 if isinstance(node, ast.FunctionDef)]
    public = [f for f in functions if not f.name.startswith("_")]
    assert [f.name for f in public] == [filename[2:-len(".py")]]
    assert ast.unparse(public[0].args) == ast.unparse(ast.parse(
        f"def f({MODULES[filename]}): pass").body[0].args)
    assert ast.get_docstring(tree)
    assert all(map(ast.get_docstring, functions))
    text = ast.get_docstring(public[0])
    places = [text.index(f"\n{section}\n---") for section in
              ("Parameters", "Returns", "Raises", "References", "Examples")]
    assert places == sorted(places)


def test_helpers_of_one_name_are_the_same_word_for_word():
    texts = defaultdict(set)
    for filename in list(MODULES)[:4]:
        text = (ROOT / filename).read_text(encoding="utf-8")
        for node in ast.parse(text).body:
            if isinstance(node, ast.FunctionDef):
                texts[node.name].add(ast.get_source_segment(text, node))
    assert [name for name, found in texts.items() if len(found) > 1] == []


@numpy_module
def test_every_helper_and_parameter_is_used(filename):
    tree = parsed(filename)
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    used = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name)
            and isinstance(n.ctx, ast.Load)}
    assert {f.name for f in functions if f.name[0] == "_"} <= used
    for function in functions:
        names = {n.id for n in ast.walk(function) if isinstance(n, ast.Name)}
        every = function.args.args
        assert {arg.arg for arg in every} <= names, function.name


@pytest.mark.parametrize("filename", ["0-conv_forward.py",
                                      "2-conv_backward.py"])
def test_what_is_for_speed_alone_can_be_deleted(filename, tmp_path, rng):
    text = (ROOT / filename).read_text(encoding="utf-8")
    # The lines at the top; the `if`; the two helpers behind it.
    shorter = re.sub(r" *# For speed alone.*?\n\n", "", text, flags=re.S)
    shorter = re.sub(r"def (_neighbours|_\w+_by_neighbours)\(.*?\n\n\n", "",
                     shorter, flags=re.S)
    assert "neighbours" in text and "neighbours" not in shorter
    assert text.count("# For speed alone") == 2
    (tmp_path / filename).write_text(shorter, encoding="utf-8")
    A_prev, W, b = integers(rng, (30, 20, 29, 2), (3, 4, 2, 3), (3,))
    if filename[0] == "0":
        rest = A_prev, W, b, same_Z
    else:
        rest = *integers(rng, (30, 20, 29, 3)), A_prev, W, b
    results = []
    for path in (ROOT / filename, tmp_path / filename):
        result = getattr(load_module(path), filename[2:-3])(*rest)
        results.append(result if isinstance(result, tuple) else (result,))
    for ours, without in zip(*results):
        assert ours.shape == without.shape and (ours == without).all()


def test_the_root_holds_what_users_expect():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, text=True,
                            capture_output=True)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing tells what is committed")
    names = {name.split("/")[0] for name in listed.stdout.splitlines()}
    assert {name for name in names if name[0] != "."} <= {
        *MODULES, "tests", "examples", "README.md", "requirements.txt",
        "LICENSE", "pytest.ini"}
