"""Every code block of the README runs and prints what stands below it."""
import os
import re
import subprocess
import sys

import pytest

from common import ROOT
from planted import made

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
    path.write_text(made("crop p:-p"))
    done = subprocess.run([sys.executable, "examples/check.py", path],
                          cwd=ROOT, text=True, capture_output=True)
    assert f"```text\n{done.stdout}```" in README


def test_every_link_to_a_file_leads_somewhere():
    # But for those that GitHub itself makes pages for: ../../deployments.
    links = re.findall(r"\]\((?!https?:|#|\.\./\.\./)([^)]+)\)", README)
    links += re.findall(r'(?:src|srcset)="([^"]+)"', README)
    assert len(links) > 10
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_one_place_edit_gives_the_rule_that_keeps_the_size(tmp_path):
    rule, = (code for code, _ in BLOCKS if code.startswith("def _same"))
    for name in ("0-conv_forward.py", "2-conv_backward.py"):
        text, count = re.subn(
            r"def _same\(.*?\n\n\n", lambda _: f"{rule}\n\n",
            (ROOT / name).read_text(encoding="utf-8"), flags=re.S)
        assert count == 1
        (tmp_path / name).write_text(text, encoding="utf-8")
    done = subprocess.run([sys.executable, "examples/check.py", tmp_path,
                           "--same", "size"], cwd=ROOT)
    assert done.returncode == 0
