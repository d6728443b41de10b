"""The page examples/explorer.html, driven in a real browser."""
import json
import os
import re
import shutil

import numpy as np
import pytest

from common import ROOT, same_Z
from conftest import loaded
from naive import sides

webdriver = pytest.importorskip(
    "selenium.webdriver", reason="Selenium, which drives a browser, is not "
    "installed")
from selenium.webdriver.common.actions import pointer_input  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait     # noqa: E402

PAGE = ROOT / "examples" / "explorer.html"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu",
         "--disable-ipc-flooding-protection")       # hundreds of addresses
NUMBERS = """[...document.querySelectorAll("[data-array]")].map(
    ({dataset: d}) => [d.array, d.index, d.value])"""
NUMPY = loaded()


@pytest.fixture(scope="module")
def chrome(tmp_path_factory):
    """Start Chrome, which notes what it requests and reports."""
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('data')}"):
        options.add_argument(flag)
    options.binary_location = shutil.which("chromium") or ""
    options.set_capability("goog:loggingPrefs",
                           {"browser": "ALL", "performance": "ALL"})
    folder = os.environ.get("CHROMEWEBDRIVER")      # GitHub's machines
    driver = shutil.which("chromedriver", path=folder) or pytest.skip(
        "chromedriver, which drives Chrome, is not installed")
    with webdriver.Chrome(options, webdriver.ChromeService(driver)) as chrome:
        yield chrome


@pytest.fixture
def page(chrome):
    """No page yet, 1200 pixels wide, in light colours."""
    size(chrome, 1200)
    chrome.get("about:blank")
    return chrome


def size(driver, width, scheme="light", forced="none"):
    """Set the size of the window, and what the page is asked to respect."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
        "width": width, "height": 850, "deviceScaleFactor": 1,
        "mobile": False})
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
        {"name": "prefers-color-scheme", "value": scheme},
        {"name": "forced-colors", "value": forced}]})


def visit(driver, *addresses, look=NUMBERS):
    """Open the page at addresses; return problem and numbers of each."""
    if not driver.current_url.startswith(PAGE.as_uri()):
        driver.get(PAGE.as_uri())
    return driver.execute_script(f"""
        return arguments[0].map(address => {{
            history.replaceState(null, "", address);
            dispatchEvent(new Event("hashchange"));
            return [document.getElementById("problem").textContent, {look}];
        }});""", addresses)


def placed(shown):
    """Return numbers as {(array, *index): value}; none is there twice."""
    found = {(array, *map(int, index.split(","))): float(value)
             for array, index, value, *_ in shown}
    assert len(found) == len(shown)
    return found


# Every number, against the functions. Settings are as in Python, but b has
# one axis and images have no axis m.

def address(s):
    """Return the address of settings; the last axes of arrays come first."""
    def written(value):
        if np.ndim(value) < 2 or np.shape(value) == (2, 2):     # the padding
            return value if isinstance(value, str) else ",".join(
                map(repr, np.ravel(value).tolist()))
        return "|~"[value.ndim - 3].join(
            written(part) if value.ndim == 4 else ";".join(map(written, part))
            for part in np.moveaxis(value, -1, 0))
    return "#" + "&".join(f"{name}={written(s[name])}" for name in s)


def drawn(seed):
    """Draw settings: every layer, stride, padding, channels, rule of ties."""
    rng = np.random.default_rng(seed)
    op = ("conv", "conv", "max", "avg")[seed % 4]
    h, w, kh, kw = *rng.integers(1, 8, 2), *rng.integers(1, 5, 2)
    c, k = (rng.integers(1, 4), rng.integers(1, 3)) if seed % 3 else (1, 1)
    most = 2 if op == "max" and seed % 5 else 9     # equal numbers
    s = {"op": op, "stride": tuple(rng.integers(1, 4, 2).tolist()), "A_prev":
         rng.integers(-most, most + 1, (h, w, c)) / (1 + seed % 2 * 7)}
    kernel = min(h, kh).item(), min(w, kw).item()
    if op == "conv":
        sides = tuple(map(tuple, rng.integers(0, 4, (2, 2)).tolist()))
        s.update(W=rng.integers(-9, 10, (*kernel, c, k)) / (1 + seed % 3),
                 b=rng.integers(-9, 10, k) / 4,
                 padding=("valid", "same", sides)[rng.integers(3)])
    else:
        s.update(kernel_shape=kernel, ties=("all", "first")[seed // 4 % 2])
    out = "Z" if op == "conv" else "A"
    return {**s, f"d{out}": rng.integers(-9, 10, results(s)[out].shape) / (
        1, 4, 3)[seed % 3]}


def results(s):
    """Return what the functions compute, forward or, with dZ, both ways."""
    A_prev, dZ = s["A_prev"][None], s.get("dZ", s.get("dA"))
    if dZ is not None:      # after so many windows, the rest counts as 0
        dZ = dZ[None].copy()
        dZ.reshape(-1, dZ.shape[3])[int(s.get("step", dZ.size)):] = 0
    if s["op"] == "conv":
        W, b, how = s["W"], s["b"], (s["padding"], s["stride"])
        found = {"Z": NUMPY.conv_forward(A_prev, W, b, same_Z, *how)[0]}
        if dZ is not None:
            dA_prev, dW, db = NUMPY.conv_backward(dZ, A_prev, W, b, *how)
            found.update(dA_prev=dA_prev[0], dW=dW, db=db.ravel())
    else:
        how = s["kernel_shape"], s["stride"], s["op"]
        found = {"A": NUMPY.pool_forward(A_prev, *how)[0]}
        if dZ is not None:
            found["dA_prev"], = NUMPY.pool_backward(dZ, A_prev, *how,
                                                    s["ties"])
    return found


def compare(page, *cases):
    for s, (problem, shown) in zip(cases, visit(page, *map(address, cases))):
        arrays = {**results(s), **{name: np.array(s[name]) for name in (
            "A_prev", "W", "b", "dZ", "dA") if name in s}}
        if "padding" in s:      # and the gradient of zeros that are pixels
            around = *sides(s["padding"], s["A_prev"].shape, s["W"].shape,
                            s["stride"]), (0, 0)
            border = np.pad(0 * s["A_prev"], around, constant_values=1)
            A_pad = arrays["A_pad"] = np.pad(s["A_prev"], around)
            arrays["dA_pad"] = results({**s, "A_prev": A_pad,
                                        "padding": "valid"})["dA_prev"]
        if s.get("way") == "gather" and "W" in s:
            arrays["W_turned"] = s["W"][::-1, ::-1]
        several = max(s["A_prev"].shape[2], np.size(s.get("b", 0))) > 1
        wanted = {(name, *index[:4 if several else 2]): array[index]
                  for name, array in arrays.items()
                  for index in np.ndindex(array.shape)
                  if "_pad" not in name or border[index]}
        found = placed([number for number in shown
                        if number[::2] != ["dZ_pad", "0"]])
        # Sums of at most 200 products below 100, in another order.
        assert not problem and found == pytest.approx(
            wanted, 1e-12, 1e-10), address(s)


FIRST = {"op": "conv", "A_prev": np.arange(9.).reshape(3, 3, 1), "b": (0.,),
         "W": np.arange(4.).reshape(2, 2, 1, 1), "padding": "valid",
         "stride": (1, 1), "ties": "all"}


def test_every_number_is_the_functions(page):
    compare(page, *({**drawn(seed), "way": way} for seed in range(30)
                    for way in ("scatter", "gather")))


@pytest.mark.slow
def test_every_number_at_every_step(page):
    for s in map(drawn, range(200)):
        steps = range(s.get("dZ", s.get("dA"))[..., 0].size + 1)
        compare(page, *({**s, "step": str(step), "way": way} for step in steps
                        for way in ("scatter", "gather")["dA" in s:]))


def test_the_letters_of_every_sum_give_it(page):
    for s in map(drawn, range(1, 28, 9)):
        _, sums = visit(page, address(s), look="""
            [...document.querySelectorAll("td")].map(e => (
                e.dispatchEvent(new FocusEvent("focusin", {bubbles: true})),
                [e.dataset.array, e.dataset.index, e.dataset.value,
                 document.getElementById("terms").textContent]))""")[0]
        names = {"max": lambda *v: max(v), "N": placed(sums)}
        for *_, value, text in sums:
            parts = re.split(" = | \u2248 ", re.sub(
                r"(\w+)\[([\d,]+)\]", r"N['\1',\2]", text))
            for part in parts[1:] if "goes into" not in text else ():
                assert eval(part.replace("\u2248", ""), names) == (
                    pytest.approx(float(value), 1e-3, 1e-3)), text


# What one does, and what is seen then: address -- actions -- what = value
# Actions are hover Z 0,1; press Enter 5; choose op max. Seen are a number, a
# text, or the numbers that a selector finds.

TEN = ("dA_prev[1, 1] = dZ[0,0]*W[1,1] + dZ[0,1]*W[1,0] + dZ[1,0]*W[0,1] + "
       "dZ[1,1]*W[0,0] = 1*3 + 2*2 + 3*1 + 4*0 = 10")
ALL = "W 0,0 W 0,1 W 1,0 W 1,1 dZ 0,0 dZ 0,1 dZ 1,0 dZ 1,1"
SCENES = r"""
# -- -- h1 = Why is this number 10? | #terms = TEN | td.lit = ALL | at =
# -- hover Z 0,1 -- td[data-term] = A_prev 0,1 A_prev 0,2 A_prev 1,1 A_prev 1,2
  W 0,0 W 0,1 W 1,0 W 1,1 b 0 | at =
# -- hover Z 0,0; click .prose a -- td[data-term] = ALL | #terms = TEN
# -- hover A_prev 0,0 -- h1 = Where does this number 0 go? | #terms = goes into
  Z[0,0] += A_prev[0,0]*W[0,0] = 0*0 = 0 dW[0,0] += A_prev[0,0]*dZ[0,0] = 0*1
#padding=same -- hover A_pad 0,3 -- #terms = Z[0,2] += A_pad[0,3]*W[0,1] = 0*1
# -- hover Z 0,0; click dW 1,0; hover Z 1,1 -- at = &at=dW,1,0 | h1 = Why is
  this number 57? | td[data-pinned] = dW 1,0 | #pin = pinned; Esc releases
# -- click Z 0,0; press Escape; hover Z 1,1 -- td.here = Z 1,1 | td.pinned =
#at=dA_prev,1,1 -- hover W 1,0 -- td.match = W 1,0 dA_prev 1,1 dZ 0,1
# -- double A_prev 1,2; press End / 3 Enter -- A_prev 1,2 = 1.6666666666666667
  | td:focus = A_prev 2,2 | at = A_prev,1,2 | #note = full: 1.6666666666666667
# -- double W 0,0; press - 2 , 5 Tab 7 Tab 1 Enter -- W 0,0 = -2.5 | W 0,1 = 7
  | W 1,0 = 1 | td:focus = W 1,0
# -- double b 0; press 7; click dZ 1,1; press F2 − 3 Enter; tap W 0,1;
  tap W 0,1; press End 8 Enter -- Z 0,0 = 43 | db 0 = 3
# -- double A_prev 0,0; press 5 Escape; press 1 / 0 Enter -- A_prev 0,0 = 0 |
  td:focus = A_prev 0,0 | #problem = A_prev[0, 0]: expected a number such as 2
# -- double Z 0,0; press 5 Enter -- Z 0,0 = 19 | #problem = Z[0, 0] follows
# -- hover dA_prev 0,1; click #share -- at = &at=dA_prev,0,1
# -- click A_prev 0,0; press x; click Z 0,0 -- #problem = got 'x'
# -- choose padding same -- #copied = dZ has another shape now: it counts from
# -- click W 0,0; paste 1,5;2\n3;4 -- W 0,0 = 1.5 | W 0,1 = 2 | W 1,1 = 4
# -- click W 0,0; paste 1,234\t5 -- W 0,0 = 0 | #problem = 1.234 or 1234
# -- click W 0,0; paste [[[1 2]]\n [[5 6]]] -- W 0,0 = 0 | #problem = one sheet
# -- click W 0,0; press 9 Enter 8 Enter; back -- W 0,0 = 9 | W 1,0 = 2
# -- click A_prev 1,1; paste 1,5\t2\t3\n4\t5\t6\n7\t8\t9 -- A_prev 1,1 = 1.5
  | A_prev 3,3 = 9 | A_prev 3,0 = 0 | Z 2,2 = 49
# -- click W 0,0; paste array([[0., 1., 2.],\n  [3., 4., 5.]], dtype=float32)
  -- W 1,2 = 5 | Z 1,0 = 100 | dZ 1,0 = 2
# -- click dZ 0,0; paste 1,2,3\n4,5,6 -- dZ 0,1 = 2 | #problem = dZ: expected
# -- click A_prev 0,0; press Escape Right Down Left Left End Up -- td:focus =
  A_prev 0,2 | h1 = Where does this number 2 go?
# -- click A_prev 0,0; press Tab Tab Tab -- td:focus = Z 0,0
# -- choose h_prev 4; choose padding same; choose sw 2 -- A_prev 3,2 = 11 |
  dZ 3,1 = 8 | Z 0,1 = 10
#padding=same -- choose padding each side; choose left 2 -- A_pad 3,4 = 0
# -- choose kh 3; choose kh 4 -- Z 0,1 = 93 | #problem = W: expected a kernel
#step=1&at=dA_prev,1,1 -- click [data-by="1"] -- dA_prev 1,1 = 7 | td.later =
  dZ 1,0 dZ 1,1 | td[data-sum="3 + 4"] = dA_prev 1,1 | at = step=2
# -- press Right -- dA_prev 1,1 = 0 | dW 0,0 = 0 | db 0 = 0
# -- click #play -- #done = 1 of 4 windows | #play = stop
#at=dA_prev,1,1 -- click [data-way=gather] -- #terms = TEN | W_turned 0,0 = 3 |
  td[data-term]:not([data-array=W_turned]) = ALL | dZ_pad 0,0 = 0
#W=2&stride=2,2&way=gather -- -- [data-sheet=dZ_pad]>*>*>:last-child = 304
#op=max&A_prev=5,5;5,5&ties=first&at=dA,0,0 -- -- #note = 4 tie; the first,
  A_prev[0, 0], gets 1.
#A_prev=1,2|3,4&W=1,2|5,6&b=7&at=Z,0,0,0 -- -- #terms = + b[0] = 1*1 + 2*2 +
  3*5 + 4*6 + 7 = 5 + 39 + 7 = 51
#at=dA_prev,1,1 -- -- #chain = ∂L/∂A_prev[1, 1] += ∂L/∂Z[0, 0]
  * ∂Z[0, 0]/∂A_prev[1, 1] = 1 * 3 = 3 | #chain = to 352.1, by 0.1;
#A_prev=11875,-30000.5&W=1&dZ=1,1&at=Z,0,1 -- -- td[title="-30000.5"] =
  A_prev 0,1 Z 0,1 | td[title="11875"] =
#A_prev=1e-7,1e21&W=1&dZ=1,1 -- -- Z 0,0 = 1e-7 | Z 0,1 = 1e+21
#W=5,1;2,3 -- go #op=sum -- W 0,0 = 5 | #problem = op: expected 'conv', 'max'
  or 'avg', got 'sum'
#opp=max -- -- #problem = address: expected op, A_prev | #terms = TEN
#A_prev=1,2;3 -- -- #problem = A_prev: expected rows of one length, got '1,2;3'
#padding=1,2,3 -- -- #problem = expected 'same', 'valid' or top,bottom,left
#padding=9,9,9,9 -- -- #problem = A_prev: expected at most 20 rows and columns
#at=Z,5,5 -- -- #problem = at: expected a number of this page, got 'Z,5,5'
#step=5 -- -- #problem = step: expected an integer from 0 to 4, got 5
#b=% -- -- #problem = URI
""".replace("TEN", TEN).replace("ALL", ALL)


def do(page, verb, what):
    name, _, value = what.partition(" ")
    mouse = webdriver.ActionChains(page, 0, [pointer_input.PointerInput(
        "touch", "finger")] if verb == "tap" else None)
    if verb == "back":
        page.back()
    elif verb == "go":
        page.execute_script("location.hash = arguments[0]", what)
    elif verb == "press":
        mouse.send_keys(*(getattr(webdriver.Keys, key.upper(), key)
                          for key in what.split(" "))).perform()
    elif verb == "paste":
        page.execute_script("""
            const clipboardData = new DataTransfer();
            clipboardData.setData("text", arguments[0]);
            document.activeElement.dispatchEvent(new ClipboardEvent(
                "paste", {clipboardData, bubbles: true}));""", what)
    elif verb == "choose":
        page.find_element("css selector", "fieldset:not([hidden]) "
                          f"[name={name}] [value='{value}']").click()
    else:
        {"hover": mouse.move_to_element, "double": mouse.double_click}.get(
            verb, mouse.click)(page.find_element("css selector", (
                what if not value[:1].isdigit() else
                f"[data-array={name}][data-index='{value}']"))).perform()


def seen(page, what):
    """Return a number, a text, the address, or the numbers selected."""
    if what[:2] == "td":
        return " ".join(sorted(map("{0[0]} {0[1]}".format, page.execute_script(
            "return " + NUMBERS.replace('"[data-array]"', f"'{what}'")))))
    name, _, index = what.partition(" ")
    return page.execute_script("return " + (
        "location.hash" if what == "at" else
        f"document.querySelector('{what}').textContent" if not index else
        f"""document.querySelector("[data-array={name}][data-index='{index}']"
        ).dataset.value"""))


@pytest.mark.parametrize("scene", re.split(r"\n(?=#)", SCENES.strip()))
def test_what_one_does_and_sees(page, scene):
    start, actions, wanted = re.split(" ?-- ?", scene.replace(
        "\n  ", " ").replace(r"\n", "\n").replace(r"\t", "\t"))
    page.get(PAGE.as_uri() + start)
    for action in filter(None, actions.split("; ")):
        do(page, *action.partition(" ")[::2])
    for what, value in (re.split(" = ?", line, maxsplit=1)
                        for line in wanted.split(" | ")):
        WebDriverWait(page, 2).until(
            lambda page: seen(page, what) == value or value and (
                what[0] in "#a" and value in seen(page, what)),
            f"{what}: {seen(page, what)!r}")


@pytest.mark.parametrize("wrong", (
    {"stride": (0, 1)}, {"stride": (1.5, 1)}, {"stride": (2,)},
    {"padding": ((-1, 0), (0, 0))}, {"padding": "full"}, {"b": (1., 2)},
    {"dZ": np.ones((1, 2, 1))}, {"W": np.ones((4, 2, 1, 1))},
    {"dZ": np.ones((1, 3, 1)), "padding": "same", "stride": (2, 2)},
    {"op": "max", "kernel_shape": (0, 2)},
    {"op": "max", "kernel_shape": (2, 2), "dA": np.ones((1, 3, 1))},
    {"op": "avg", "kernel_shape": (2, 4)}))
def test_the_page_says_what_the_functions_say(page, wrong):
    with pytest.raises((TypeError, ValueError)) as error:
        results({**FIRST, **wrong})
    assert visit(page, address({**FIRST, **wrong}))[0][0] == str(error.value)


@pytest.mark.parametrize("tab", ["our modules", "plain NumPy", *(pytest.param(
    tab, marks=pytest.mark.slow) for tab in ("PyTorch", "Keras"))])
def test_code_gives_the_numbers_of_the_page(page, monkeypatch, tab):
    pytest.importorskip({"PyTorch": "torch", "Keras": "tensorflow"}.get(
        tab, "numpy"))
    monkeypatch.syspath_prepend(str(ROOT))
    visit(page, "#")
    page.find_element("xpath", f"//button[.='{tab}']").click()
    cases = [{**drawn(seed), "step": "1"} for seed in range(16)]
    for s, (_, code) in zip(cases, visit(
            page, *map(address, cases),
            look='document.getElementById("python").innerText')):
        assert code.count("assert ") + ("gives another" in code) == (
            4 if s["op"] == "conv" else 2)
        exec(code, {"print": lambda text: None})


LOOK = """
const luminance = colour => colour.match(/\\d+/g).slice(0, 3).map(v => v / 255)
    .map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4).reduce(
        (sum, v, k) => sum + v * [.2126, .7152, .0722][k], .05);
const contrast = (a, b) => Math.max(luminance(a) / luminance(b),
                                    luminance(b) / luminance(a));
const ground = e => getComputedStyle(e).backgroundColor === "rgba(0, 0, 0, 0)"
    ? ground(e.parentElement) : getComputedStyle(e).backgroundColor;
const tds = [...document.querySelectorAll("td")], tops = new Set();
tds.filter((_, k) => k % 9 === 0).forEach(e => (e.focus(), tops.add(
    board.getBoundingClientRect().top + scrollY)));
return [tops.size, document.documentElement.scrollWidth <= innerWidth,
    contrast(ground(document.querySelector("td.lit")), ground(board)) >= 3,
    [...document.body.querySelectorAll("*")].filter(
        e => e.offsetParent && e.textContent.trim() && contrast(
            getComputedStyle(e).color, ground(e)) < 4.5).map(e => e.outerHTML),
    tds.filter(({dataset: {array, index, value}, ariaLabel, ariaReadOnly}) =>
        ariaLabel !== `${array}[${index.split(",").join(", ")}]: ${value}` ||
        (ariaReadOnly === "false") !== /^(A_prev|W|b|dZ|dA)$/.test(array)
        ).map(e => e.outerHTML)];"""


@pytest.mark.parametrize("width", [420, 1300])
@pytest.mark.parametrize("colours", [{}, {"scheme": "dark"},
                                     {"forced": "active"}])
def test_it_can_be_seen_and_heard(page, width, colours):
    """Contrast as WCAG AA asks for, names; nothing moves under the mouse."""
    size(page, width, **colours)
    large = "#padding=3,3,3,3&A_prev=" + ";".join([",".join(["0.1251"] * 12)
                                                   ] * 12)
    for start in ("#padding=same", "#op=max", "#step=2&way=gather&stride=2,2",
                  *[large] * (width == 420 and not colours)):
        visit(page, start)
        assert page.execute_script(LOOK) == [1, True, True, [], []]


def test_nothing_is_fetched_stored_or_reported(page):
    text = PAGE.read_text(encoding="utf-8")
    for word in ("://", "url(", "@import", "fetch(", "XMLHttpRequest", "src=",
                 "Storage", "cookie", "indexedDB"):
        assert word not in text
    page.get(PAGE.as_uri() + "#view=embed")
    assert not page.find_element("css selector", "form").is_displayed()
    requested = {sent["request"]["url"].partition("#")[0] for sent in (
        json.loads(entry["message"])["message"]["params"] for entry in
        page.get_log("performance") if '"Network.requestWillBeSent"'
        in entry["message"]) if sent["documentURL"].startswith("file:")}
    assert requested - {"data:,"} == {PAGE.as_uri()}    # the empty icon
    assert page.get_log("browser") == []        # of the whole file
