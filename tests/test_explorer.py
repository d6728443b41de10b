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

from checker.explain import letters, terms
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

INPUTS = "A_prev", "A_pad", "W", "b", "dZ", "dA"
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
    driver.set_script_timeout(30)
    yield driver
    driver.quit()


@pytest.fixture
def page(chrome):
    """The page as it opens, 1200 pixels wide, in light colours."""
    size(chrome, 1200)
    chrome.get(PAGE.as_uri())
    return chrome


def size(driver, width, height=850, scheme="light", scale=1):
    """Set the size of the window, and the colour scheme."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": height, "deviceScaleFactor": scale,
        "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": scheme}]})


def visit(driver, *addresses):
    """Open the page at addresses; return what it shows of each.

    That is the text of #problem, and [array, index, value] of each number.
    """
    return driver.execute_script("""
        return arguments[0].map(address => {
            history.replaceState(null, "", address);
            dispatchEvent(new Event("hashchange"));
            return [document.getElementById("problem").textContent, numbers()];
        });""".replace("numbers()", NUMBERS), addresses)


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

def setting(op="conv", A_prev=None, kernel=None, b=0., padding="valid",
            stride=(1, 1), ties="all", gradient=None):
    """Return settings, by default the example's; a pooling has no kernel's
    numbers, only its shape."""
    A_prev = np.arange(9.).reshape(3, 3) if A_prev is None else A_prev
    kernel = np.arange(4.).reshape(2, 2) if kernel is None else kernel
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
    inside = np.ones(s["A_prev"].shape)
    around = sides(s["padding"] if s["op"] == "conv" else "valid",
                   inside.shape, s["kernel"].shape, s["stride"])
    border = np.argwhere(np.pad(inside, around) == 0).tolist()
    if not border:
        return {}
    A_pad = batch(np.pad(s["A_prev"], around))
    dA_pad = conv_backward(**{**backward, "A_prev": A_pad,
                              "padding": "valid"})[0][0, :, :, 0]
    return {"A_pad": {tuple(index): 0.0 for index in border},
            "dA_pad": {tuple(index): dA_pad[tuple(index)]
                       for index in border}}


def drawn(seed):
    """Draw settings: every layer, stride, padding and rule of ties."""
    rng = np.random.default_rng(seed)
    op = ("conv", "conv", "max", "avg")[seed % 4]
    h, w, kh, kw = *rng.integers(1, 8, 2), *rng.integers(1, 5, 2)
    if rng.random() < .9:       # in one of ten, the kernel may not fit
        kh, kw = min(h, kh), min(w, kw)
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


DRAWN = [drawn(seed) for seed in range(240)]


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

SPECIAL = (
    setting(),
    setting(stride=(9, 7)),
    setting(A_prev=np.ones((1, 1)), kernel=np.ones((4, 3)), padding="same"),
    setting(padding=((0, 5), (3, 0)), stride=(2, 3)),
    setting(A_prev=np.array([[1e-7, 1e21], [-1 / 3, 0.1]])),
    setting("max", A_prev=np.full((3, 3), -2.), ties="first"),
    setting("avg", kernel=np.ones((3, 3)), stride=(5, 1)),
)       # the first example; strides larger, or an image smaller, than the
#         kernel; sides; inexact numbers; equal ones; one window


@pytest.mark.slow
def test_every_number_is_the_functions(page):
    shown = visit(page, *map(address, (*DRAWN, *SPECIAL)))
    accepted = [check(s, *seen) for s, seen in zip((*DRAWN, *SPECIAL), shown)]
    drawn, special = accepted[:len(DRAWN)], accepted[len(DRAWN):]
    assert 200 <= sum(drawn) < len(drawn)   # and some were refused
    assert all(special)


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
    if array == "dA_pad":
        return None
    _, forward, backward = arguments(s)
    conv, back = s["op"] == "conv", array[0] == "d"
    name = ("conv" if conv else "pool") + ("_backward" if back else "_forward")
    place = ((*index, 0, 0) if array == "dW" else (0, 0, 0, 0) if array == "db"
             else (0, *index, 0))
    found = terms(name, backward if back else forward,
                  "A" if array == "Z" else array, place,
                  "keras" if conv else s["ties"])
    end = "" if conv or s["op"] == "max" else (
        f"/{np.prod(backward['kernel_shape'])}")
    texts = [re.sub(r"W\[(\d+,\d+),0,0\]", r"W[\1]", re.sub(
        r"(A_prev|dZ|dA)\[0,(\d+,\d+),0\]", r"\1[\2]", "*".join(
            map(letters, term)))) + end for term in found]
    if array == "A" and s["op"] == "max":
        return f"max({', '.join(texts)})"
    return " + ".join(texts)


@pytest.mark.slow
def test_sums_are_those_of_explain(page):
    for s in DRAWN[::20]:
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
            for array, index, _ in driver.execute_script(
                "return " + NUMBERS.replace("[data-array]", ".lit"))}


# What one does

def hover(driver, *place):
    """Put the mouse on a number."""
    ActionChains(driver).move_to_element(element(driver, *place)).perform()


def press(driver, *keys):
    """Press keys, one after the other."""
    ActionChains(driver).send_keys(*keys).perform()


def shown(driver):
    """Return the numbers on the page, by array and place."""
    return by_place(driver.execute_script("return " + NUMBERS))


def here(driver, element="document.querySelector('.here')"):
    """Return array and index of the number whose sum is shown."""
    return driver.execute_script(f"""
        const {{array, index}} = {element}.dataset;
        return `${{array}} ${{index}}`;""")


def in_focus(driver):
    """Return array and index of the number that has the keyboard."""
    return here(driver, "document.activeElement")


def all_of(name, h=2, w=2):
    """Return the places of all numbers of an array."""
    return {(name, *index) for index in np.ndindex(h, w)}


LIT = (
    (("Z", 0, 1), {("A_prev", 0, 1), ("A_prev", 0, 2), ("A_prev", 1, 1),
                   ("A_prev", 1, 2), ("b", 0)} | all_of("W")),
    (("dA_prev", 0, 0), {("dZ", 0, 0), ("W", 0, 0)}),
    (("dW", 1, 1), {("A_prev", 1, 1), ("A_prev", 1, 2), ("A_prev", 2, 1),
                    ("A_prev", 2, 2)} | all_of("dZ")),
    (("db", 0), all_of("dZ")),
    (("A_prev", 2, 2), {("Z", 1, 1), ("W", 1, 1), ("dW", 1, 1),
                        ("dZ", 1, 1)}),
    (("b", 0), all_of("Z")),
    (("dZ", 1, 0), {(f"{name}_prev", y, x) for name in ("A", "dA")
                    for y in (1, 2) for x in (0, 1)}
     | all_of("W") | all_of("dW") | {("db", 0)}),
)


def test_the_mouse_lights_up_what_belongs_together(page):
    for place, wanted in LIT:
        hover(page, *place)
        assert lit(page) == wanted, place
        assert text_of(page, "terms").startswith(
            f"{place[0]}[{', '.join(map(str, place[1:]))}] = ")


def test_numbers_that_are_multiplied_have_the_same_small_number(page):
    hover(page, "dA_prev", 1, 1)
    pairs = {}
    for e in page.find_elements("css selector", "[data-term]"):
        pairs.setdefault(e.get_attribute("data-term"), []).append(
            (e.get_attribute("data-array"), e.get_attribute("data-index")))
    assert pairs == {"1": [("W", "1,1"), ("dZ", "0,0")],
                     "2": [("W", "1,0"), ("dZ", "0,1")],
                     "3": [("W", "0,1"), ("dZ", "1,0")],
                     "4": [("W", "0,0"), ("dZ", "1,1")]}


def test_the_address_holds_the_number_in_focus(page):
    hover(page, "dW", 1, 0)
    WebDriverWait(page, 5).until(
        lambda page: page.current_url.endswith("&at=dW,1,0"))
    url = page.current_url
    page.get(PAGE.as_uri())
    hover(page, "Z", 0, 0)
    page.get(url)       # at once, while the address is not yet written
    WebDriverWait(page, 5).until(lambda page: here(page) == "dW 1,0")


def test_an_input_shows_what_it_goes_into(page):
    hover(page, "A_prev", 0, 1)
    assert text_of(page, "terms") == (
        "A_prev[0, 1] = 1 goes into "
        "Z[0,0] += A_prev[0,1]*W[0,1] = 1*1 = 1 "
        "Z[0,1] += A_prev[0,1]*W[0,0] = 1*0 = 0 "
        "dW[0,1] += A_prev[0,1]*dZ[0,0] = 1*1 = 1 "
        "dW[0,0] += A_prev[0,1]*dZ[0,1] = 1*2 = 2")
    assert page.find_element("css selector", "h1").text == (
        "Where does this number 1 go?")


def test_a_clicked_number_can_be_changed(page):
    s = setting(gradient=np.array([[1., 2], [3, 4]]))
    for place, text, value in ((("A_prev", 1, 2), "1/3", 1 / 3),
                               (("W", 0, 0), "-2.5", -2.5),
                               (("dZ", 1, 0), "1e-3", 1e-3)):
        element(page, *place).click()
        press(page, text, Keys.ENTER)
        array = s[{"W": "kernel", "dZ": "gradient"}.get(place[0], "A_prev")]
        array[place[1:]] = value
    element(page, "b", 0).click()
    press(page, "7")
    element(page, "Z", 0, 0).click()        # leaving keeps the number
    s["b"] = 7.
    assert text_of(page, "problem") == ""
    assert_shown(page, s)
    assert element(page, "A_prev", 1, 2).text == "0.3333"
    assert element(page, "A_prev", 1, 2).get_attribute("title") == repr(1 / 3)
    page.get(page.current_url)
    page.refresh()
    assert_shown(page, s)                   # the address holds it all


def assert_shown(driver, s):
    """Compare the numbers on the page with what the functions compute."""
    for name, values in expected(s).items():
        assert shown(driver)[name] == pytest.approx(values), name


def test_a_first_tap_chooses_and_a_second_one_changes(page):
    for fields in (0, 1):
        finger = ActionChains(page, devices=[PointerInput("touch", "finger")])
        finger.click(element(page, "W", 0, 1)).perform()
        assert here(page) == "W 0,1"
        assert len(page.find_elements("css selector", "td input")) == fields


def test_a_change_can_be_rejected_or_given_up(page):
    before = shown(page)
    for keys, problem in (
            (("x", Keys.ENTER), "A_prev[0, 0]: expected a number such as 2, "
             "-1.5 or 1/3, got 'x'"), (("5", Keys.ESCAPE), "")):
        element(page, "A_prev", 0, 0).click()
        press(page, *keys)
        assert text_of(page, "problem") == problem
        assert shown(page) == before and in_focus(page) == "A_prev 0,0"


def test_everything_works_by_keyboard(page):
    page.execute_script("arguments[0].focus()", element(page, "A_prev", 0, 0))
    for key, place in ((Keys.ARROW_RIGHT, "0,1"), (Keys.ARROW_DOWN, "1,1"),
                       (Keys.ARROW_LEFT, "1,0"), (Keys.ARROW_LEFT, "1,0"),
                       (Keys.ARROW_UP, "0,0")):
        press(page, key)
        assert in_focus(page) == f"A_prev {place}"
    press(page, Keys.ENTER, "9", Keys.ENTER)
    assert shown(page)["A_prev"][0, 0] == 9
    assert in_focus(page) == "A_prev 0,0"
    places = []
    for _ in ("W", "b", "Z"):       # one stop of the Tab key for each array
        press(page, Keys.TAB)
        places.append(in_focus(page).split()[0])
    assert places == ["W", "b", "Z"]


def test_links_of_the_page_are_followed(page):
    sums = {}
    for link in page.find_elements("css selector", 'a[href^="#"]'):
        link.click()
        sums[link.text] = text_of(page, "terms"), text_of(page, "problem")
    assert sums == {
        "the first example": (
            "dA_prev[1, 1] = dZ[0,0]*W[1,1] + dZ[0,1]*W[1,0] + "
            "dZ[1,0]*W[0,1] + dZ[1,1]*W[0,0] = 1*3 + 2*2 + 3*1 + 4*0 = 10",
            ""),
        'an odd "same" padding under stride 2': (
            "Z[1, 1] = A_prev[2,2]*W[0,0] + A_prev[2,3]*W[0,1] + "
            "A_prev[3,2]*W[1,0] + A_prev[3,3]*W[1,1] + b[0] = "
            "10*0 + 11*1 + 14*3 + 15*4 + 0 = 113", ""),
        "equal maxima": ("dA_prev[0, 2] = dA[0,1] = 8", ""),
        "averages of windows that overlap": (
            "dA_prev[1, 1] = dA[0,0]/4 + dA[0,1]/4 + dA[1,0]/4 + dA[1,1]/4 "
            "= 1/4 + 2/4 + 3/4 + 4/4 = 2.5", "")}


def test_controls_keep_what_fits_and_follow(page):
    choose(page, "h_prev", "4")
    choose(page, "padding", "same")
    choose(page, "sw", "2")
    A_prev = np.arange(12.).reshape(4, 3)       # goes on counting
    assert_shown(page, setting(A_prev=A_prev, padding="same", stride=(1, 2)))
    choose(page, "padding", "sides")
    choose(page, "left", "2")
    s = setting(A_prev=A_prev, padding=((0, 0), (2, 0)), stride=(1, 2))
    assert_shown(page, s)
    element(page, "A_prev", 0, 0).click()
    press(page, "-5", Keys.ENTER)
    choose(page, "w_prev", "4")
    s["A_prev"] = np.pad(A_prev, ((0, 0), (0, 1)))
    s["A_prev"][0, 0] = -5
    assert_shown(page, s)
    for op in ("max", "avg"):
        choose(page, "op", op)
        assert_shown(page, {**s, "op": op})


def choose(driver, name, value):
    """Choose a setting."""
    control = driver.find_element("name", name)
    control.find_element("css selector", f'option[value="{value}"]').click()


def test_windows_are_stepped_through_and_played(page):
    for pass_name, array in (("forward", "Z"), ("backward", "dZ")):
        back, play, onwards = page.find_elements(
            "css selector", f"section[aria-label={pass_name}] button")
        steps = []
        for button in (onwards, onwards, back, back, back):
            button.click()
            steps.append(here(page))
        press(page, Keys.ARROW_RIGHT)       # as a press of the button
        assert steps + [here(page)] == [f"{array} {index}" for index in (
            "0,0", "0,1", "0,0", "1,1", "1,0", "1,1")]
        play.click()
        assert (play.text, here(page)) == ("stop", f"{array} 0,0")
        play.click()
        assert play.text == "play"
    page.execute_script("document.activeElement.blur()")
    press(page, Keys.ARROW_RIGHT)
    assert here(page) == "dZ 0,1"


def test_python_code_gives_the_numbers_of_the_page(page, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    for s in DRAWN[:8]:
        numbers = visit(page, address(s))[0][1]
        code, names = text_of(page, "python"), {"print": lambda *_, **__: None}
        assert (max(map(len, code.splitlines())) < 80
                or s["A_prev"].shape[1] > 3)
        exec(code, names)
        for name, values in by_place(numbers).items():
            if not name.endswith("_pad"):
                array = np.ravel(names[name])
                assert list(values.values()) == pytest.approx(array.tolist())


def test_the_code_is_copied(page):
    page.find_element("id", "copy").click()
    said = page.execute_async_script("""
        const [done] = arguments, look = () => copied.textContent
            ? done([copied.textContent, getSelection().toString()])
            : setTimeout(look, 20);
        look();""")
    assert said[0] == "copied" or said[1].startswith("import numpy as np")


# What is wrong

UNREADABLE = (
    ("#op=sum", "op: expected 'conv', 'max' or 'avg', got 'sum'"),
    ("#opp=max", "address: expected op, A_prev"),
    ("#A_prev=1,2;3", "A_prev: expected rows of one length, got '1,2;3'"),
    ("#A_prev=1,,2", "A_prev: expected a number such as 2, -1.5 or 1/3, got "
     "''"),
    ("#W=1/0", "W: expected a number such as 2, -1.5 or 1/3, got '1/0'"),
    ("#padding=1,2,3", "padding: expected 'same', 'valid' or "
     "top,bottom,left,right, got '1,2,3'"),
    ("#padding=9,9,9,9", "A_prev: expected at most 20 rows and columns with "
     "the padding, got (21, 21)"),
    ("#at=Z,5,5", "at: expected a number of this page, got 'Z,5,5'"),
    ("#b=%", "URI"),
)


def test_a_wrong_address_is_explained(page):
    for address, problem in UNREADABLE:
        assert visit(page, address)[0][0].startswith(problem), address
        assert visit(page, "#op=max")[0][0] == ""


REFUSED = (
    ("#stride=0,1", conv_forward, {"stride": (0, 1)}),
    ("#stride=1.5,1", conv_forward, {"stride": (1.5, 1)}),
    ("#stride=2", conv_forward, {"stride": (2,)}),
    ("#padding=-1,0,0,0", conv_forward, {"padding": ((-1, 0), (0, 0))}),
    ("#padding=full", conv_forward, {"padding": "full"}),
    ("#op=max&kernel_shape=0,2", pool_forward, {"kernel_shape": (0, 2)}),
    ("#op=avg&kernel_shape=2,4", pool_forward, {"kernel_shape": (2, 4)}),
    ("#op=max&ties=last", pool_backward, {"ties": "last"}),
    ("#op=max&dA=1,2,3", pool_backward, {"dA": np.ones((1, 1, 3, 1))}),
    ("#dZ=1,2", conv_backward, {"dZ": np.ones((1, 1, 2, 1))}),
    ("#padding=same&stride=2,2&dZ=1,2,3", conv_backward,
     {"padding": "same", "stride": (2, 2), "dZ": np.ones((1, 1, 3, 1))}),
    ("#b=1,2", conv_forward, {"b": [1, 2]}),
)


def test_wrong_settings_get_the_functions_sentence(page):
    for address, function, options in REFUSED:
        _, forward, given = arguments(setting("max" if "op=" in address
                                              else "conv"))
        if function is conv_forward:
            given = {**forward, "activation": same_Z}
        elif function is pool_forward:
            given = forward
        with pytest.raises((TypeError, ValueError)) as error:
            function(**{**given, **options})
        assert visit(page, address)[0][0] == str(error.value)


# For everybody

CONTRAST = """
const luminance = colour => {
    const [r, g, b] = colour.match(/\\d+/g).slice(0, 3).map(v => v / 255).map(
        v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
    return .2126*r + .7152*g + .0722*b;
};
const ground = e => !e ? "rgb(255, 255, 255)" :
    getComputedStyle(e).backgroundColor === "rgba(0, 0, 0, 0)"
        ? ground(e.parentElement) : getComputedStyle(e).backgroundColor;
return [...document.body.querySelectorAll("*")].filter(e => e.offsetParent &&
    [...e.childNodes].some(node => node.nodeType === 3 && node.data.trim())
    ).map(e => {
        const [a, b] = [getComputedStyle(e).color, ground(e)].map(luminance);
        return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05),
                `${e.className} ${e.id} ${e.tagName}`];
    });"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast_is_that_of_WCAG_AA(page, scheme):
    size(page, 1200, scheme=scheme)
    seen = set()
    for address in ("#padding=same", "#op=max&at=A,0,0", "#op=what"):
        visit(page, address)
        for contrast, what in page.execute_script(CONTRAST):
            assert contrast >= 4.5, what
            seen.update(what.split())
    assert {"TD", "padding", "lit", "here", "muted", "BUTTON", "A",
            "problem"} <= seen


def test_names_for_screen_readers(page):
    visit(page, "#padding=same")
    for array, index, value, label, stops in page.execute_script("""
            return [...document.querySelectorAll("[data-array]")].map(e => [
                e.dataset.array, e.dataset.index, e.dataset.value,
                e.getAttribute("aria-label"), e.closest("[role=grid]")
                    .querySelectorAll("[tabindex='0']").length])"""):
        assert label == f"{array}[{index.replace(',', ', ')}]: {value}"
        assert stops == 1
    live = page.find_element("id", "terms").get_attribute("aria-live")
    assert live == "polite"


@pytest.mark.parametrize("width", [420, 1200])
def test_nothing_moves_under_the_mouse_or_leaves_the_page(page, width):
    size(page, width)
    for address in ("#", "#op=max", "#A_prev=0.3333333333333333,2;3,4",
                    "#padding=3,3,3,3&A_prev="
                    + ";".join(["0.125" + ",1" * 6] * 7)):
        visit(page, address)
        tops = page.execute_script("""
            return [...document.querySelectorAll("[data-array]")].map(e => {
                e.focus();
                return board.getBoundingClientRect().top + scrollY; })""")
        assert len(set(tops)) == 1
        assert page.execute_script(
            "return document.documentElement.scrollWidth") <= width


def test_nothing_is_fetched_and_nothing_stored(page):
    text = PAGE.read_text(encoding="utf-8")
    for word in ("://", "url(", "@import", "fetch(", "XMLHttpRequest", "src=",
                 "Storage", "cookie", "indexedDB"):
        assert word not in text
    sent = [json.loads(entry["message"])["message"]["params"]
            for entry in page.get_log("performance")
            if '"Network.requestWillBeSent"' in entry["message"]]
    requested = {request["request"]["url"].partition("#")[0]
                 for request in sent
                 if request["documentURL"].startswith(PAGE.as_uri())}
    assert requested - {"data:,"} == {PAGE.as_uri()}    # the empty icon


def test_the_browser_reports_no_error(page):
    visit(page, "#op=max", "#op=sum", "#")
    assert page.get_log("browser") == []        # of the whole file


# The picture

def renew_picture(path=ROOT / "examples" / "figures" / "explorer.png"):
    """Draw the page as it opens; 1400 pixels wide, for a width of 700."""
    from PIL import Image
    with tempfile.TemporaryDirectory() as profile:
        driver = started(profile)
        try:
            size(driver, 940)
            driver.get(PAGE.as_uri())
            bottom = driver.execute_script("""
                document.documentElement.style.scrollbarWidth = "none";
                return board.getBoundingClientRect().bottom""")
            size(driver, 940, round(bottom) + 8, scale=1400 / 940)
            picture = Image.open(io.BytesIO(driver.get_screenshot_as_png()))
        finally:
            driver.quit()
    put(path, lambda new: picture.convert("RGB").quantize(32).save(
        new, "png", optimize=True))


if __name__ == "__main__":
    renew_picture()
