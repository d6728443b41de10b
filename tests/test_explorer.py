"""The page examples/explorer.html, driven in a real browser.

python tests/test_explorer.py       renews examples/figures/explorer.png
"""
import io
import os
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from common import ROOT, load, put, same_Z
from explain import terms

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="Selenium, which drives a browser, is not "
    "installed")
from selenium.common.exceptions import WebDriverException   # noqa: E402
from selenium.webdriver.chrome.service import Service       # noqa: E402
from selenium.webdriver.common.action_chains import ActionChains  # noqa: E402
from selenium.webdriver.common.keys import Keys             # noqa: E402

INPUTS = "A_prev", "A_pad", "W", "b", "dZ", "dA"
PAGE = ROOT / "examples" / "explorer.html"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync",
         "--disable-ipc-flooding-protection")   # hundreds of addresses
conv_forward, pool_forward, conv_backward, pool_backward = map(load, (
    "0-conv_forward.py", "1-pool_forward.py", "2-conv_backward.py",
    "3-pool_backward.py"))


# The browser

def driver_path():
    """Return the path of chromedriver, or None."""
    folder = os.environ.get("CHROMEWEBDRIVER")      # GitHub's machines
    return (folder and shutil.which("chromedriver", path=folder)
            or shutil.which("chromedriver"))


def started(profile):
    """Start Chrome with a new profile, and note what it requests."""
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs",
                           {"browser": "ALL", "performance": "ALL"})
    return webdriver.Chrome(options=options, service=Service(driver_path()))


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    """One browser for the whole file."""
    if not driver_path():
        pytest.skip("chromedriver, which drives Chrome, is not installed")
    try:
        driver = started(tmp_path_factory.mktemp("profile"))
    except WebDriverException as error:
        if "cannot find" not in str(error):
            raise
        pytest.skip("Chrome or Chromium is not installed")
    driver.set_script_timeout(30)
    yield driver
    driver.quit()


@pytest.fixture
def page(chrome):
    """The page as it opens, 1200 pixels wide, in light colours."""
    size(chrome, 1200)
    chrome.get("about:blank")
    chrome.get(PAGE.as_uri())
    return chrome


def size(driver, width, height=850, scheme="light"):
    """Set the size of the window, and the colour scheme."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": 2,
        "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": scheme}]})


def visit(driver, *addresses):
    """Follow addresses as links would; return what the page shows of each.

    That is the text of #problem, and [array, index, value] of each number.
    """
    return driver.execute_async_script("""(async ([addresses, done]) => {
        const shown = [];
        const show = () => shown.push([
            document.getElementById("problem").textContent,
            [...document.querySelectorAll("[data-array]")].map(
                ({dataset: d}) => [d.array, d.index, d.value])]);
        for (const address of addresses) {
            if (decodeURI(location.hash) !== address)
                await new Promise(follow => {
                    addEventListener("hashchange", follow, {once: true});
                    location.hash = address;
                });
            show();
        }
        done(shown); })(arguments)""", addresses)


def text_of(driver, name):
    """Return the text of the element with that id."""
    return driver.execute_script(
        "return document.getElementById(arguments[0]).textContent", name)


def element(driver, array, *index):
    """Return the element of one number."""
    return driver.find_element("css selector", f'[data-array="{array}"]'
                               f'[data-index="{",".join(map(str, index))}"]')


def by_place(shown):
    """Return numbers as {array: {index: value}}; none is there twice."""
    found = {}
    for array, index, value in shown:
        place = tuple(map(int, index.split(",")))
        assert place not in found.setdefault(array, {}), (array, place)
        found[array][place] = float(value)
    return found


# Settings, and what the Python functions make of them

def setting(op="conv", A_prev=np.arange(9.).reshape(3, 3),
            kernel=np.arange(4.).reshape(2, 2), b=0., padding="valid",
            stride=(1, 1), ties="all", gradient=None):
    """Return settings of the page; for a pooling the kernel is a shape."""
    return dict(locals())


def rows(array):
    """Write an array as the address does."""
    return ";".join(",".join(map(repr, row)) for row in array.tolist())


def address(s):
    """Return the address that holds some settings."""
    padding = s["padding"] if isinstance(s["padding"], str) else ",".join(
        map(str, np.ravel(s["padding"])))
    parts = {"op": s["op"], "A_prev": rows(s["A_prev"]),
             "stride": "{},{}".format(*s["stride"])}
    if s["op"] == "conv":
        parts.update(W=rows(s["kernel"]), b=s["b"], padding=padding)
    else:
        parts.update(kernel_shape="{},{}".format(*s["kernel"].shape),
                     ties=s["ties"])
    if s["gradient"] is not None:
        parts["dZ" if s["op"] == "conv" else "dA"] = rows(s["gradient"])
    return "#" + "&".join(f"{key}={value}" for key, value in parts.items())


def batch(plane):
    """Return the batch of one image with one channel."""
    return plane[None, :, :, None]


def arguments(s):
    """Return the arguments of the forward and of the backward function."""
    if s["op"] == "conv":
        forward = {"A_prev": batch(s["A_prev"]), "b": np.array([s["b"]]),
                   "W": s["kernel"][:, :, None, None],
                   "padding": s["padding"], "stride": s["stride"]}
        Z = conv_forward(activation=same_Z, **forward)
    else:
        forward = {"A_prev": batch(s["A_prev"]), "stride": s["stride"],
                   "kernel_shape": s["kernel"].shape, "mode": s["op"]}
        Z = pool_forward(**forward)
    gradient = s["gradient"]
    if gradient is None:    # the page counts from 1
        gradient = np.arange(1., 1 + Z.size).reshape(Z.shape[1:3])
    name = "dZ" if s["op"] == "conv" else "dA"
    return Z, forward, {name: batch(gradient), **forward}


def expected(s):
    """Return all numbers that the page should show, from the functions."""
    Z, _, backward = arguments(s)
    found = {"A_prev": s["A_prev"]}
    if s["op"] != "conv":
        found.update(A=Z[0, :, :, 0], dA=backward["dA"][0, :, :, 0],
                     dA_prev=pool_backward(ties=s["ties"], **backward)
                     [0, :, :, 0])
    else:
        dA_prev, dW, db = conv_backward(**backward)
        found.update(Z=Z[0, :, :, 0], W=s["kernel"], b=np.array([s["b"]]),
                     dZ=backward["dZ"][0, :, :, 0], dW=dW[:, :, 0, 0],
                     dA_prev=dA_prev[0, :, :, 0], db=db.ravel())
    return {name: dict(np.ndenumerate(array))
            for name, array in found.items()} | expected_padding(s, backward)


def expected_padding(s, backward):
    """Return the numbers around A_prev and dA_prev, in padded indices.

    The gradient of the padding is that of an image which has the zeros as
    pixels.
    """
    if s["op"] != "conv" or s["padding"] == "valid":
        return {}
    (h_prev, w_prev), sides = s["A_prev"].shape, s["padding"]
    if sides == "same":
        sides = [same(*axis) for axis in zip(
            (h_prev, w_prev), s["kernel"].shape, s["stride"])]
    A_pad = batch(np.pad(s["A_prev"], sides))
    dA_pad = conv_backward(**{**backward, "A_prev": A_pad,
                              "padding": "valid"})[0][0, :, :, 0]
    (top, _), (left, _) = sides
    border = {index for index in np.ndindex(dA_pad.shape)
              if not (top <= index[0] < top + h_prev
                      and left <= index[1] < left + w_prev)}
    return {"A_pad": dict.fromkeys(border, 0.0),
            "dA_pad": {index: dA_pad[index] for index in border}
            } if border else {}


def same(size, kernel, stride):
    """Return the zeros before and after an axis, as TensorFlow documents."""
    total = max(kernel - (size % stride or stride), 0)
    return total // 2, total - total // 2


def drawn(seed):
    """Draw settings: every layer, stride, padding and rule of ties."""
    rng = np.random.default_rng(seed)
    op = ("conv", "conv", "max", "avg")[seed % 4]
    h, w, kh, kw = *rng.integers(1, 8, 2), *rng.integers(1, 5, 2)
    most = 2 if op == "max" and rng.random() < .7 else 9    # equal numbers
    A_prev, kernel = (rng.integers(-most, most + 1, shape).astype(float)
                      for shape in ((h, w), (kh, kw)))
    if seed % 3 == 0:       # fractions, exact ones and others
        A_prev, kernel = A_prev / 8, kernel / 10
    padding = ("valid", "same", tuple(map(tuple, rng.integers(
        0, 4, (2, 2)).tolist())))[rng.integers(3)]
    s = setting(op, A_prev, kernel, float(rng.integers(-9, 10)) / 4, padding,
                tuple(rng.integers(1, 4, 2).tolist()),
                ("all", "first")[rng.integers(2)])
    try:
        shape = arguments(s)[0].shape[1:3]
    except ValueError:      # the kernel is larger than the padded image
        return s
    if seed % 5:
        s["gradient"] = rng.integers(-9, 10, shape) / (1, 4, 3)[seed % 3]
    return s


DRAWN = [drawn(seed) for seed in range(300)]


def check(s, problem, shown):
    """Compare every number on the page with the functions, or the refusal."""
    found = by_place(shown)
    try:
        wanted = expected(s)
    except ValueError as error:
        assert problem == str(error), address(s)
        assert not {"Z", "A", "dA_prev", "dW", "db"} & found.keys()
        return False
    assert problem == "" and found.keys() == wanted.keys(), address(s)
    for name, values in wanted.items():
        assert found[name].keys() == values.keys(), (name, address(s))
        # A sum of at most 50 products below 100, in another order.
        ours, theirs = ([array[index] for index in values]
                        for array in (found[name], values))
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-11,
                                   err_msg=f"{name}, {address(s)}")
    return True


# Numbers

def test_every_number_is_the_functions(page):
    shown = visit(page, *map(address, DRAWN))
    accepted = sum(check(s, *seen) for s, seen in zip(DRAWN, shown))
    assert 200 <= accepted < len(DRAWN)     # and some were refused


@pytest.mark.parametrize("s", [
    setting(),
    setting(stride=(9, 7)),
    setting(A_prev=np.ones((1, 1)), kernel=np.ones((4, 3)), padding="same"),
    setting(padding=((0, 5), (3, 0)), stride=(2, 3)),
    setting(A_prev=np.array([[1e-7, 1e21], [-1 / 3, 0.1]])),
    setting("max", A_prev=np.full((3, 3), -2.), ties="first"),
    setting("avg", kernel=np.ones((3, 3)), stride=(5, 1)),
], ids=["the first example", "stride larger than the image",
        "image smaller than the kernel", "padding of each side",
        "very small, very large and inexact numbers", "all equal",
        "one window"])
def test_special_settings(page, s):
    assert check(s, *visit(page, address(s))[0])


def test_the_page_opens_on_the_answer_to_its_question(page):
    assert page.find_element("css selector", "h1").text == (
        "Why is this number 10?")
    assert text_of(page, "terms") == (
        "dA_prev[1, 1] = dZ[0,0]*W[1,1] + dZ[0,1]*W[1,0] + dZ[1,0]*W[0,1] + "
        "dZ[1,1]*W[0,0] = 1*3 + 2*2 + 3*1 + 4*0 = 10")
    assert lit(page) == {(name, y, x) for name in ("dZ", "W")
                         for y in (0, 1) for x in (0, 1)}
    bottom = page.execute_script("return document.getElementById("
                                 "'board').getBoundingClientRect().bottom")
    assert bottom < 850     # no scrolling


# Sums

def sums(driver):
    """Focus every number; return [array, index, value, sum as text]."""
    return driver.execute_script("""
        return [...document.querySelectorAll("[data-array]")].map(e => {
            e.focus();
            const {array, index, value} = e.dataset;
            return [array, index, value,
                    document.getElementById("terms").textContent]; })""")


def explained(s, array, index):
    """Return the letters of a sum as `explain` has them, or None."""
    if array == "dA_pad" or (array == "dA_prev" and s["ties"] == "first"):
        return None
    _, forward, backward = arguments(s)
    conv, back = s["op"] == "conv", array[0] == "d"
    name = ("conv" if conv else "pool") + ("_backward" if back else "_forward")
    place = ((*index, 0, 0) if array == "dW" else (0, 0, 0, 0) if array == "db"
             else (0, *index, 0))
    found = terms(name, {**(backward if back else forward), "ties": s["ties"]},
                  "A" if array == "Z" else array, place)
    letters = [re.sub(r"W\[(\d+,\d+),0,0\]", r"W[\1]", re.sub(
        r"(A_prev|dZ|dA)\[0,(\d+,\d+),0\]", r"\1[\2]", term))
        for term, _, _ in found]
    if array == "A" and s["op"] == "max":
        return f"max({', '.join(letters)})"
    return " + ".join(letters)


def test_sums_are_those_of_explain(page):
    for s in DRAWN[::11]:
        if visit(page, address(s))[0][0]:
            continue
        for array, index, value, text in sums(page):
            start, *parts = text.split(" = ")
            if array in INPUTS:
                assert start == f"{array}[{index.replace(',', ', ')}]"
                continue
            assert start == f"{array}[{index.replace(',', ', ')}]"
            assert float(parts[-1]) == pytest.approx(float(value), rel=1e-5)
            letters = explained(s, array, tuple(map(int, index.split(","))))
            if letters is not None:
                assert parts[0] == letters or not letters and len(parts) == 1


def lit(driver):
    """Return the places of the numbers that are lit up."""
    return {(array, *map(int, index.split(",")))
            for array, index in driver.execute_script("""
        return [...document.querySelectorAll(".lit")].map(
            ({dataset: d}) => [d.array, d.index])""")}
