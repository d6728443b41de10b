"""Each module stands alone, as graders and notebooks use it."""
import ast
import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pycodestyle
import pytest

from common import ROOT, load_module, same_Z
from conftest import integers

CONV, POOL = "padding='same', stride=(1, 1)", (
    "kernel_shape, stride=(1, 1), mode='max'")
MODULES = {
    "0-conv_forward": "A_prev, W, b, activation, " + CONV,
    "1-pool_forward": "A_prev, " + POOL,
    "2-conv_backward": "dZ, A_prev, W, b, " + CONV,
    "3-pool_backward": f"dA, A_prev, {POOL}, ties='all'",
    "5-lenet5": "X",
}
TEXTS = {stem: (ROOT / f"{stem}.py").read_text(encoding="utf-8")
         for stem in MODULES}
FUNCTIONS = {stem: [node for node in ast.parse(text).body
                    if isinstance(node, ast.FunctionDef)]
             for stem, text in TEXTS.items()}
every_module = pytest.mark.parametrize("stem", MODULES)
# As a grader imports it; then its own examples are run.
GRADER = """
import doctest, sys
{name} = __import__('{stem}').{name}
module = sys.modules['{stem}']
public = {{name for name in vars(module) if not name.startswith('_')}}
assert public == {{'{name}', '{alias}'}}, public
failed, tried = doctest.testmod(module)
assert tried > 1 and not failed
"""


@every_module
def test_a_grader_can_import_and_call_it(stem, tmp_path, monkeypatch, request):
    shutil.copy(ROOT / f"{stem}.py", tmp_path)
    alias = "K" if stem == "5-lenet5" else "np"
    code = GRADER.format(stem=stem, name=stem[2:], alias=alias)
    if alias == "np":
        subprocess.run([sys.executable, "-Bc", code], cwd=tmp_path, check=True)
    else:       # here: a new process would load Keras for seconds
        request.getfixturevalue("tf")
        monkeypatch.syspath_prepend(tmp_path)
        exec(code, {})


def names_read(tree):
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)
            and isinstance(node.ctx, ast.Load)}


@every_module
def test_its_form_is_what_graders_check(stem):
    path = ROOT / f"{stem}.py"
    assert TEXTS[stem].startswith("#!/usr/bin/env python3\n")
    assert os.access(path, os.X_OK)
    report = pycodestyle.StyleGuide(quiet=True).check_files([str(path)])
    assert report.total_errors == 0, report.get_statistics()
    tree = ast.parse(TEXTS[stem], feature_version=(3, 9))
    imports = [ast.unparse(node) for node in ast.walk(tree)
               if isinstance(node, (ast.Import, ast.ImportFrom))]
    assert imports == ["from tensorflow import keras as K"
                       if stem == "5-lenet5" else "import numpy as np"]
    assert all(map(ast.get_docstring, [tree, *FUNCTIONS[stem]]))
    public, = (f for f in FUNCTIONS[stem] if f.name[0] != "_")
    assert public.name == stem[2:]
    assert ast.unparse(public.args) == MODULES[stem]
    sections = re.findall("\n(.*)\n---", ast.get_docstring(public))
    assert [name for name in sections if name != "Notes"] == [
        "Parameters", "Returns", "Raises", "References", "Examples"]
    for f in FUNCTIONS[stem]:
        assert f is public or f.name in names_read(tree), "unused helper"
        assert {a.arg for a in f.args.args} <= names_read(f), "unused argument"


def test_helpers_of_one_name_are_the_same_word_for_word():
    texts = {(f.name, ast.get_source_segment(TEXTS[stem], f))
             for stem in MODULES for f in FUNCTIONS[stem]}
    names = sorted(name for name, _ in texts)
    assert names == sorted(set(names))


@pytest.mark.parametrize("stem", ["0-conv_forward", "2-conv_backward"])
def test_what_is_for_speed_alone_can_be_deleted(stem, tmp_path, rng):
    # The lines at the end; the `if`; the two helpers behind it.
    shorter, count = re.subn(
        r" *# For speed alone[^\n]*\n( .*?\n\n|.*)|"
        r"def (_neighbours|_\w+_by_neighbours)\(.*?\n\n\n", "",
        TEXTS[stem], flags=re.S)
    assert count == 4 and "neighbours" not in shorter
    (tmp_path / "shorter.py").write_text(shorter, encoding="utf-8")
    dZ, A_prev, W, b = integers(
        rng, (30, 20, 29, 3), (30, 20, 29, 2), (3, 4, 2, 3), (3,))
    arrays = (A_prev, W, b, same_Z) if stem[0] == "0" else (dZ, A_prev, W, b)
    results = [getattr(load_module(path), stem[2:])(*arrays)
               for path in (ROOT / f"{stem}.py", tmp_path / "shorter.py")]
    for ours, without in zip(*results):     # images, or gradients
        np.testing.assert_array_equal(ours, without)


def test_the_root_holds_what_users_expect():
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, text=True,
                            capture_output=True)
    if listed.returncode:
        pytest.skip("not a git checkout: nothing tells what is committed")
    names = {name.split("/")[0] for name in listed.stdout.splitlines()}
    assert {name for name in names if name[0] != "."} <= {
        *(f"{stem}.py" for stem in MODULES), "tests", "examples", "README.md",
        "requirements.txt", "LICENSE", "pytest.ini"}
