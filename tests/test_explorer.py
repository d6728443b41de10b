"""The page examples/explorer.html, driven in a real browser.

PYTHONPATH=examples python tests/test_explorer.py

renews the picture of it, examples/figures/explorer.png.
"""
import io
import json
import os
import re
import shutil
import tempfile

import numpy as np
import pytest

from common import ROOT, load, put, same_Z
from naive import sides

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="Selenium, which drives a browser, is not "
    "installed")
from selenium.common.exceptions import WebDriverException   # noqa: E402
from selenium.webdriver import ActionChains, Keys           # noqa: E402
from selenium.webdriver.chrome.service import Service       # noqa: E402
from selenium.webdriver.common.actions.pointer_input import (     # noqa: E402
    PointerInput)
from selenium.webdriver.support.ui import WebDriverWait     # noqa: E402

PAGE = ROOT / "examples" / "explorer.html"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
         "--disable-background-networking", "--disable-component-update",
         "--disable-sync",
         "--disable-ipc-flooding-protection")   # hundreds of addresses
conv_forward, pool_forward, conv_backward, pool_backward = map(load, (
    "0-conv_forward.py", "1-pool_forward.py", "2-conv_backward.py",
    "3-pool_backward.py"))
NUMBERS = """[...document.querySelectorAll("[data-array]")].map(
    ({dataset: d}) => [d.array, d.index, d.value])"""
FIRST = ("dA_prev[1, 1] = dZ[0,0]*W[1,1] + dZ[0,1]*W[1,0] + dZ[1,0]*W[0,1] + "
         "dZ[1,1]*W[0,0] = 1*3 + 2*2 + 3*1 + 4*0 = 10")


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
        if "chrome binary" not in str(error).lower():
            raise
        pytest.skip("Chrome or Chromium is not installed")
    driver.set_script_timeout(60)
    yield driver
    driver.quit()


@pytest.fixture
def page(chrome):
    """The page as it opens, 1200 pixels wide, in light colours."""
    size(chrome, 1200)
    chrome.get("about:blank")
    chrome.get(PAGE.as_uri())
    return chrome


def size(driver, width, height=850, scale=1, **media):
    """Set the size of the window, and what the page is asked to respect."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": scale,
        "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": name.replace("_", "-"), "value": value} for name, value in
        {"prefers_color_scheme": "light", "forced_colors": "none",
         **media}.items()]})


def visit(driver, *addresses):
    """Open the page at addresses; return problem and numbers of each."""
    return driver.execute_script(f"""
        return arguments[0].map(address => {{
            history.replaceState(null, "", address);
            dispatchEvent(new Event("hashchange"));
            return [document.getElementById("problem").textContent, {NUMBERS}];
        }});""", addresses)


def text_of(driver, name):
    """Return the text of the element with that id."""
    return driver.execute_script(
        "return document.getElementById(arguments[0]).textContent", name)


def element(driver, place):
    """Return the element of a number: "Z 0,1"."""
    array, _, index = place.partition(" ")
    return driver.find_element(
        "css selector", f'[data-array="{array}"][data-index="{index}"]'
        if index[:1].isdigit() else place)


def places(driver, selector):
    """Return the places of the numbers that a selector finds."""
    return [f"{array} {index}" for array, index, _ in driver.execute_script(
        "return " + NUMBERS.replace("[data-array]", selector))]


def by_place(shown):
    """Return numbers as {array: {index: value}}; none is there twice."""
    found = {}
    for array, index, value in shown:
        place = tuple(map(int, index.split(",")))
        assert place not in found.setdefault(array, {}), (array, place)
        found[array][place] = float(value)
    return found


def do(driver, action):
    """Do one thing: "hover Z 0,1", "press Enter", "choose op max"."""
    verb, _, rest = action.partition(" ")
    mouse, mark = ActionChains(driver, duration=0), rest.split(" ", 1)
    if verb == "press":
        mouse.send_keys(*(getattr(Keys, key.upper(), key)
                          for key in rest.split(" "))).perform()
    elif verb == "choose":
        [control] = [one for one in driver.find_elements(
            "css selector", f"select[name={mark[0]}]") if one.is_displayed()]
        control.find_element("css selector", f'[value="{mark[1]}"]').click()
    elif verb == "paste":
        driver.execute_script("""
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", arguments[0]);
            document.activeElement.dispatchEvent(new ClipboardEvent(
                "paste", {clipboardData, bubbles: true}));""", rest)
    elif verb == "tap":
        ActionChains(driver, devices=[PointerInput("touch", "finger")]).click(
            element(driver, rest)).perform()
    elif verb == "back":
        driver.back()
    else:
        {"hover": mouse.move_to_element, "click": mouse.click,
         "double": mouse.double_click}[verb](element(driver, rest)).perform()


def seen(driver, what):
    """Return what is seen: a text, a number, or places of numbers."""
    if " " in what:
        return float(element(driver, what).get_attribute("data-value"))
    if what == "focus":
        return " ".join(driver.execute_script(
            "const {array, index} = document.activeElement.dataset;"
            "return [array, index]"))
    if what[0] in ".[" or what[:3] == "td.":
        return set(places(driver, what))
    if what == "at":
        return driver.execute_script(
            "return location.hash.match(/&at=([^&]*)|$/)[1]")
    return driver.find_element("css selector", what).get_attribute(
        "textContent")


# Settings, and what the Python functions make of them

def setting(op="conv", A_prev=None, W=None, b=(0.,), padding="valid",
            stride=(1, 1), ties="all", gradient=None):
    """Return settings in the functions' shapes, by default the example's; of
    W, a pooling has only the shape."""
    A_prev = np.arange(9.).reshape(3, 3) if A_prev is None else A_prev
    W = np.arange(4.).reshape(2, 2) if W is None else W
    s = dict(locals())
    s["A_prev"] = np.reshape(A_prev, (1, *A_prev.shape[:2], -1))
    if W.ndim == 2:
        s["W"] = W[..., None, None]
    return s


def written(array):
    """Write an array as the address does, with its last axes first."""
    array = np.asarray(array)
    if array.ndim == 1:
        return ",".join(map(repr, array.tolist()))
    return (";", "|", "~")[array.ndim - 2].join(
        map(written, array if array.ndim == 2 else np.moveaxis(array, -1, 0)))


def address(s, **more):
    """Return the address that holds some settings."""
    conv, padding = s["op"] == "conv", s["padding"]
    parts = {"op": s["op"], "A_prev": written(s["A_prev"][0]),
             "stride": "{},{}".format(*s["stride"]), **more}
    if conv:
        parts.update(W=written(s["W"]), b=written(s["b"]), padding=padding
                     if isinstance(padding, str) else written(
                         np.ravel(padding)))
    else:
        parts.update(kernel_shape="{},{}".format(*s["W"].shape[:2]),
                     ties=s["ties"])
    if s["gradient"] is not None:
        parts["dZ" if conv else "dA"] = written(s["gradient"][0])
    return "#" + "&".join(f"{key}={value}" for key, value in parts.items())


def results(s, step=None, A_prev=None, padding=None):
    """Return what the functions compute: all arrays, by name."""
    A_prev = s["A_prev"] if A_prev is None else A_prev
    if s["op"] == "conv":
        forward = {"A_prev": A_prev, "W": s["W"], "b": np.array(s["b"]),
                   "padding": padding or s["padding"], "stride": s["stride"]}
        found = {**forward, "Z": conv_forward(activation=same_Z, **forward)}
    else:
        forward = {"A_prev": A_prev, "kernel_shape": s["W"].shape[:2],
                   "stride": s["stride"], "mode": s["op"]}
        found = {"A_prev": A_prev, "A": pool_forward(**forward)}
    name = "dZ" if s["op"] == "conv" else "dA"
    given, out = s["gradient"], found[name[1:]]
    if given is None:   # the page counts from 1, one sheet after the other
        _, h, w, c = out.shape
        given = np.moveaxis(np.arange(1., 1 + out.size).reshape(
            1, c, h, w), 1, -1)
    found[name] = given
    counted = given.reshape(-1, given.shape[-1]).copy()
    counted[step:] = 0 if step is not None else counted[step:]
    backward = {name: counted.reshape(given.shape), **forward}
    if s["op"] == "conv":
        found["dA_prev"], found["dW"], found["db"] = conv_backward(**backward)
    else:
        found["dA_prev"] = pool_backward(ties=s["ties"], **backward)
    return found


def expected(s, step=None):
    """Return all numbers that the page should show, from the functions."""
    found, conv = results(s, step), s["op"] == "conv"
    many = s["A_prev"].shape[3] > 1 or conv and s["W"].shape[3] > 1
    flat = {name: np.ravel(found[name]) if name in ("b", "db")
            else found[name] if "W" in name else found[name][0]
            for name in ("A_prev", "W", "b", "Z", "A", "dA_prev", "dW", "db",
                         "dZ", "dA") if name in found}
    numbers = {name: {index if many else index[:2]: value
                      for index, value in np.ndenumerate(array)}
               for name, array in flat.items()}
    # Around the image, the gradient is that of an image whose pixels are
    # the zeros of the padding.
    around = sides(s["padding"] if conv else "valid", s["A_prev"].shape[1:3],
                   s["W"].shape[:2], s["stride"])
    border = ((0, 0), *around, (0, 0))
    inside = np.pad(np.ones(s["A_prev"].shape), border)[0]
    if conv and not inside.all():
        dA_pad = results(s, step, np.pad(s["A_prev"], border),
                         "valid")["dA_prev"][0]
        for name, array in (("A_pad", 0 * dA_pad), ("dA_pad", dA_pad)):
            numbers[name] = {index if many else index[:2]: array[index]
                             for index in map(tuple, np.argwhere(inside == 0))}
    return numbers


def check(s, shown, step=None):
    """Compare every number on the page with the functions'."""
    found, wanted = by_place(shown), expected(s, step)
    turned, zeros = found.pop("W_turned", None), found.pop("dZ_pad", {})
    assert found.keys() == wanted.keys(), address(s)
    for name, values in wanted.items():
        assert found[name].keys() == values.keys(), (name, address(s))
        # A sum of at most 200 products below 100, in another order.
        ours, theirs = ([array[index] for index in values]
                        for array in (found[name], values))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-10,
                                   err_msg=f"{name}, {address(s)}")
    assert not any(zeros.values())
    if turned is not None:
        assert list(turned.values()) == np.moveaxis(
            s["W"][::-1, ::-1], (2, 3), (1, 0)).ravel().tolist()


def drawn(seed):
    """Draw settings: every layer, stride, padding, channels, rule of ties."""
    rng = np.random.default_rng(seed)
    op = ("conv", "conv", "max", "avg")[seed % 4]
    h, w, kh, kw = *rng.integers(1, 8, 2), *rng.integers(1, 5, 2)
    kh, kw = min(h, kh), min(w, kw)
    c, k = (rng.integers(1, 4), rng.integers(1, 3)) if seed % 3 else (1, 1)
    most = 2 if op == "max" and rng.random() < .7 else 9    # equal numbers
    A_prev, W = (rng.integers(-most, most + 1, shape) / divisor for
                 shape, divisor in (((h, w, c), 1 + seed % 2 * 7),
                                    ((kh, kw, c, k), 1 + seed % 3)))
    padding = ("valid", "same", tuple(map(tuple, rng.integers(
        0, 4, (2, 2)).tolist())))[rng.integers(3)]
    s = setting(op, A_prev, W, rng.integers(-9, 10, k) / 4, padding, tuple(
        rng.integers(1, 4, 2).tolist()), ("all", "first")[rng.integers(2)])
    if seed % 5:
        shape = results(s)["Z" if op == "conv" else "A"].shape
        s["gradient"] = rng.integers(-9, 10, shape) / (1, 4, 3)[seed % 3]
    return s


SPECIAL = (
    setting(),
    setting(stride=(9, 7)),
    setting(A_prev=np.ones((1, 1)), W=np.ones((4, 3)), padding="same"),
    setting(padding=((0, 5), (3, 0)), stride=(2, 3)),
    setting(A_prev=np.array([[1e-7, 1e21], [-1 / 3, 0.1]])),
    setting("max", A_prev=np.full((3, 3), -2.), ties="first"),
    setting("avg", W=np.ones((3, 3)), stride=(5, 1)),
    setting(A_prev=np.ones((12, 12, 3)), W=np.ones((3, 3, 3, 2)), b=(1, 2.),
            padding="same"),
)       # the first example; strides larger, or an image smaller, than the
#         kernel; sides; inexact numbers; equal ones; one window; the largest


def test_every_number_is_the_functions(page):
    cases = [*SPECIAL, *map(drawn, range(30))]
    for way in ("scatter", "gather"):
        for s, (problem, shown) in zip(cases, visit(page, *(
                address(s, way=way) for s in cases))):
            assert problem == "", address(s)
            check(s, shown)


@pytest.mark.slow
def test_every_number_at_every_step(page):
    for s in map(drawn, range(200)):
        out = results(s)["Z" if s["op"] == "conv" else "A"]
        steps = range(out.shape[1] * out.shape[2] + 1)
        for way in ("scatter", "gather")[:1 + (s["op"] == "conv")]:
            for step, (problem, shown) in zip(steps, visit(page, *(
                    address(s, way=way, step=step) for step in steps))):
                assert problem == "", address(s)
                check(s, shown, step)


# What one does, and what is seen then: "address", "action; action", {...}

BOTH = {f"{name} {y},{x}" for name in ("dZ", "W") for y in (0, 1)
        for x in (0, 1)}
SCENES = {
    "it opens on the answer": ("", "", {
        "h1": "Why is this number 10?", "#terms": FIRST, ".lit": BOTH,
        "[data-term]": BOTH, "at": None, "#problem": ""}),
    "the mouse lights up what belongs together": ("", "hover Z 0,1", {
        ".lit": {"A_prev 0,1", "A_prev 0,2", "A_prev 1,1", "A_prev 1,2",
                 "b 0", "W 0,0", "W 0,1", "W 1,0", "W 1,1"}, "at": None}),
    "no mark stays": ("", "hover Z 0,0; click .prose a", {
        ".lit": BOTH, "[data-term]": BOTH, "#terms": FIRST}),
    "an input goes somewhere": ("", "hover A_prev 0,1", {
        "h1": "Where does this number 1 go?",
        "#terms": "A_prev[0, 1] = 1 goes into "
        "Z[0,0] += A_prev[0,1]*W[0,1] = 1*1 = 1 "
        "Z[0,1] += A_prev[0,1]*W[0,0] = 1*0 = 0 "
        "dW[0,1] += A_prev[0,1]*dZ[0,0] = 1*1 = 1 "
        "dW[0,0] += A_prev[0,1]*dZ[0,1] = 1*2 = 2"}),
    "a pin holds": ("", "hover Z 0,0; click dW 1,0; hover Z 1,1", {
        "at": "dW,1,0", "h1": "Why is this number 57?",
        "[data-pinned]": {"dW 1,0"}, "#pin": "pinned; Esc releases"}),
    "what is multiplied is marked": ("", "click dA_prev 1,1; hover W 1,0", {
        "td.match": {"W 1,0", "dZ 0,1", "dA_prev 1,1"}, "at": "dA_prev,1,1"}),
    "a pin is released": ("", "click Z 0,0; press Escape; hover Z 1,1", {
        "at": None, "h1": "Why is this number 43?", "[data-pinned]": set()}),
    "typing changes": ("", "click A_prev 1,2; press 1 / 3 Enter", {
        "A_prev 1,2": 1 / 3, "focus": "A_prev 2,2", "at": "A_prev,1,2",
        "#note": "In full: 0.3333333333333333."}),
    "Tab goes right": ("", "double W 0,0; press - 2 , 5 Tab 7 Tab 1 Enter", {
        "W 0,0": -2.5, "W 0,1": 7, "W 1,0": 1, "focus": "W 1,0"}),
    "leaving keeps": ("", "double b 0; press 7; click Z 0,0", {
        "b 0": 7, "Z 0,0": 26}),
    "F2 and the real minus": ("", "click dZ 1,1; press F2 \u2212 3 Enter", {
        "dZ 1,1": -3, "db 0": 3}),
    "a wrong entry changes nothing": ("", "click A_prev 0,0; press x Enter", {
        "A_prev 0,0": 0, "focus": "A_prev 0,0", "#problem": "A_prev[0, 0]: "
        "expected a number such as 2, -1.5 or 1/3, got 'x'"}),
    "an entry is given up": ("", "double A_prev 0,0; press 5 Escape", {
        "A_prev 0,0": 0, "#problem": "", "focus": "A_prev 0,0"}),
    "Back undoes": ("", "click W 0,0; press 9 Enter 8 Enter; back", {
        "W 0,0": 9, "W 1,0": 2, "at": "W,0,0"}),
    "a second tap changes": ("", "tap W 0,1; tap W 0,1; press 8 Enter", {
        "W 0,1": 8}),
    "a block of a spreadsheet grows": (
        "", "click A_prev 1,1; paste 1,5\t2\t3\n4\t5\t6\n7\t8\t9", {
            "A_prev 1,1": 1.5, "A_prev 3,3": 9, "A_prev 3,0": 0,
            "Z 2,2": 49, "at": "A_prev,1,1"}),
    "NumPy is read": ("", "click W 0,0; paste array([[0., 1., 2.],\n"
                      "       [3., 4., 5.]], dtype=float32)", {
                          "W 1,2": 5, "Z 1,0": 100, "dZ 1,0": 2}),
    "a block may not fit": ("", "click dZ 0,0; paste 1,2,3\n4,5,6", {
        "dZ 0,1": 2, "#problem": "dZ: expected shape (1, 2, 2, 1), got "
        "(1, 2, 3, 1)"}),
    "arrow keys, Home and End": (
        "", "click A_prev 0,0; press Escape Right Down Left Left End Up", {
            "focus": "A_prev 0,2", "#terms": "A_prev[0, 2] = 2 goes into "
            "Z[0,1] += A_prev[0,2]*W[0,1] = 2*1 = 2 dW[0,1] += "
            "A_prev[0,2]*dZ[0,1] = 2*2 = 4"}),
    "one stop of the Tab key per array": (
        "", "click A_prev 0,0; press Tab Tab Tab", {"focus": "Z 0,0"}),
    "controls keep what fits": (
        "", "choose h_prev 4; choose padding same; choose sw 2", {
            "A_prev 3,2": 11, "dZ 3,1": 8, "Z 0,1": 10}),
    "each side begins with the zeros of same": (
        "#padding=same", "choose padding sides; choose left 2", {
            "Z 0,1": 9, "A_pad 3,4": 0}),
    "a kernel that is too large": ("", "choose kh 5", {
        "#problem": "W: expected a kernel within the padded (3, 3), got "
        "(5, 2)", "Z 1,1": 43}),
    "the film": ("#step=1&at=dA_prev,1,1", 'click [data-by="1"]', {
        "dA_prev 1,1": 7, "dA_prev 1,2": 6, "#done": "2 of 4 windows",
        ".later": {"dZ 1,0", "dZ 1,1"}, "#terms": "dA_prev[1, 1] = "
        "dZ[0,0]*W[1,1] + dZ[0,1]*W[1,0] = 1*3 + 2*2 = 7"}),
    "from the end to the beginning": ("", "press Right", {
        "dA_prev 1,1": 0, "dW 0,0": 0, "db 0": 0}),
    "gather": ("#at=dA_prev,1,1", "click [data-way=gather]", {
        "#terms": FIRST, "W_turned 0,0": 3, "dZ_pad 0,0": 0,
        ".lit": BOTH | {f"W_turned {y},{x}" for y in (0, 1)
                        for x in (0, 1)}}),
    "a tie": ("#op=max&A_prev=5,5;5,5&kernel_shape=2,2&ties=first&at=dA,0,0",
              "", {"#note": "Window of A[0,0]: 4 tie; the first, "
                   "A_prev[0, 0], gets 1."}),
    "channels have a sum each": (
        "#A_prev=1,2|3,4&W=1,2|5,6&b=7&at=Z,0,0,0", "", {
            "#terms": "Z[0, 0, 0] = A_prev[0,0,0]*W[0,0,0,0] + A_prev[0,1,0]"
            "*W[0,1,0,0] + A_prev[0,0,1]*W[0,0,1,0] + A_prev[0,1,1]"
            "*W[0,1,1,0] + b[0] = 1*1 + 2*2 + 3*5 + 4*6 + 7 = 5 + 39 + 7 = "
            "51"}),
    "the chain rule": ("#at=dA_prev,0,0", "", {
        "#chain": "The chain rule, a row for each window: 1 \u2202L/\u2202"
        "A_prev[0, 0] += \u2202L/\u2202Z[0, 0] * \u2202Z[0, 0]/\u2202"
        "A_prev[0, 0] = 1 * 0 = 0Nudge by 0.01: with A_prev[0, 0] = 0.01 in "
        "place of 0, L = sum of dZ * Z changes from 352 to 352, by 0; the "
        "gradient times 0.01 is 0."}),
    "whole numbers are whole, others marked": (
        "#A_prev=11875,-30000.5&W=1&dZ=1,1&at=Z,0,1", "", {
            "td[data-array=Z]": "11875", "#terms": "Z[0, 1] = A_prev[0,1]*"
            "W[0,0] + b[0] = -30000.5*1 + 0 = -30000.5"}),
}


@pytest.mark.parametrize("scene", SCENES)
def test_what_one_does(page, scene):
    address, actions, wanted = SCENES[scene]
    page.get(PAGE.as_uri() + address)
    for action in filter(None, actions.split("; ")):
        do(page, action)
    for what, value in wanted.items():
        WebDriverWait(page, 2).until(
            lambda page: seen(page, what) == value,
            f"{what}: {seen(page, what)!r}")
