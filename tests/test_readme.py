"""Every code block of the README runs and prints what stands below it."""
import os
import re
import subprocess
import sys

import numpy as np
import planted
import pytest

from common import ROOT, load_module, same_Z

README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```\n(?:^```text\n(.*?)^```\n)?",
                    README, re.M | re.S)


@pytest.mark.parametrize("code, printed", BLOCKS, ids=[
    f"block {i}" for i in range(1, len(BLOCKS) + 1)])
def test_a_block_prints_what_stands_below_it(code, printed):
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, text=True,
                          capture_output=True, env={
                              **os.environ, "PYTHONDONTWRITEBYTECODE": "1"})
    assert (done.returncode, done.stdout) == (0, printed), done.stderr


def test_there_are_two_commands_and_ci_runs_the_second():
    commands = re.findall(r"^```sh\n(.*?)^```", README, re.M | re.S)
    setups = [c for c in commands if "venv .venv" in c]
    assert len(setups) == 2 and all(c.count("\n") == 1 for c in setups)
    assert setups[0].endswith("examples/train.py\n")
    assert setups[1].endswith("-m pytest\n")
    assert "'-m pytest$' README.md" in (ROOT / ".ci" / "run").read_text()


def test_the_output_of_the_checker_is_real(tmp_path):
    path = tmp_path / "2-conv_backward.py"
    path.write_text(planted.planted("crop p:-p")[1])
    done = subprocess.run([sys.executable, "examples/check.py", path],
                          cwd=ROOT, text=True, capture_output=True)
    assert f"```text\n{done.stdout}```" in README


def test_every_link_to_a_file_leads_somewhere():
    # But for those that GitHub itself makes pages for: ../../deployments.
    links = re.findall(r"\]\((?!https?:|#|\.\./\.\./)([^)]+)\)", README)
    links += re.findall(r'(?:src|srcset)="([^"]+)"', README)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("kernel, stride", [
    ((3, 3), (2, 2)), ((2, 3), (3, 1)), ((4, 5), (2, 3)), ((1, 2), (2, 2))])
def test_the_one_place_edit_keeps_the_size(kernel, stride, tmp_path, rng):
    rule, = (code for code, _ in BLOCKS if code.startswith("def _same"))
    edited, original = [], load_module(ROOT / "0-conv_forward.py")
    for name in ("0-conv_forward", "2-conv_backward"):
        text, count = re.subn(
            r"def _same\(.*?\n\n\n", lambda _: f"{rule}\n\n",
            (ROOT / f"{name}.py").read_text(encoding="utf-8"), flags=re.S)
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        assert count == 1
        edited.append(getattr(load_module(tmp_path / f"{name}.py"), name[2:]))
    A_prev, V, W, b = (rng.integers(-9, 9, shape).astype(float) for shape in (
        (2, 5, 7, 2), (2, 5, 7, 2), (*kernel, 2, 3), 3))
    pads = [int(np.ceil(((size - 1) * s + k - size) / 2))
            for size, k, s in zip((5, 7), kernel, stride)]
    forward, backward = edited
    Z = forward(A_prev, W, 0 * b, same_Z, "same", stride)
    assert (Z == original.conv_forward(A_prev, W, 0 * b, same_Z, pads,
                                       stride)).all()
    assert all(0 <= new - old <= 1 for new, old in zip(Z.shape[1:3], (5, 7)))
    dA_prev, dW, _ = backward(Z, A_prev, W, b, "same", stride)
    assert (dW * W).sum() == (Z * Z).sum()
    assert (dA_prev * V).sum() == (Z * forward(V, W, 0 * b, same_Z, "same",
                                               stride)).sum()
