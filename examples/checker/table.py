"""The table of edits: what a student wrote, what belongs there, and why.

_a, _b, _c stand for any expression, _i for a whole number that has a name (or
is stride[0]), _o for one that is an operand or element, _u for such a one that
is no size; _n for a constant, _v for an array, _f for a function or a word, _e
for an element of an index, _x for the value of axis=. What a $word stands for
is found by forms.py, where the form stands; what is said of rows (of $h_prev,
$kh, $sh, $y, $top) holds for columns too. Only what a letter stands for gets
brackets; what begins with a space goes on.
"""
TABLE = [[part.strip() for part in line.split("|")] for line in """
_i | $size | `_i` stands where `$size` belongs.
_i | $other | `_i` stands where `$other` belongs.
_v | $array | `_v` stands where `$array` belongs.
_f | $function | `_f` stands where `$function` belongs.
_n | $near | `_n` stands where `$near` belongs.
_e | $index | `_e` stands where `$index` belongs.
_a = _b | _a += _b | `=` forgets what was there: `+=` adds.
_a += _b | _a = _b | `+=` adds to what is there: `=` replaces it.
_a[_b] += _c | np.add.at(_a, np.s_[_b], _c) | `+=` adds repeated indices once.
_a(_b) + _c | _a(_b + _c) | `+ _c` belongs inside the brackets.
_a // 2 + 1 | (_a + 1) // 2 | `// 2 + 1` is one too many for an even sum.
_a // _b | -(-_a // _b) | This must be rounded up.
int(_a) | int(np.ceil(_a)) | This must be rounded up.
-(-_a // _b) | _a // _b | This must be rounded down.
_a.isclose(_b, _c) | (_b == _c) | Nearly equal is not equal.
_a >= _b - _c | _a == _b | Nearly equal is not equal.
[::-1] | [:] | The kernel must not be turned.
_x | $axes | The axes must be `$axes`.
_x | _x, keepdims=True | The result loses its axes: add keepdims=True.
_a(_b) | _a(_b, axis=$axes) | `_a` runs over all axes: say which.
_a() | _a(axis=$axes) | `_a` runs over all axes: say which.
_a(_b, dtype=_c) | _a(_b) | This dtype loses digits.
_a = _b | _a = max(_b, 0) | This must not become negative.
_a.zeros(_b) | _a.full(_b, -np.inf) | A maximum does not start at 0.
_a.zeros_like(_b) | _a.zeros(_b.shape) | Results are truncated to integers.
_a.reshape(_b, _c).T | _a.reshape(_c, _b) | The elements are in a wrong order.
_a.reshape(_b, _c) | _a.reshape(_c, _b).T | The elements are in a wrong order.
_a.dot(_b.T, _c) | _a.dot(_c.T, _b) | The product is transposed.
[_a:-_b] | [_a:_a + $h_prev] | The crop p:-p is empty where p is 0.
[_a:_b] | [_a:_a + $h_prev] | The crop removes the wrong rows and columns.
[_a:_b] | [$top:$top + $h_prev] | The crop removes the wrong rows and columns.
[:_b] | [$top:$top + $h_prev] | The crop removes the wrong rows and columns.
_a = _v | _a = _v[:, $top:$top + $h_prev, $left:$left + $w_prev] |
 dA_prev still has its padding.
_a = _v | _a = _v[$top:$top + $h_prev, $left:$left + $w_prev] |
 dA_prev still has its padding.
return _v, _b, _c | return _v[:, $top:$top + $h_prev, $left:$left + $w_prev],
 _b, _c | dA_prev still has its padding.
_a = _b | _a = _b + $b | The bias is forgotten.
return _a | return _a + $b | The bias is forgotten.
activation(_a) | $activation(_a + $b) | The bias is forgotten.
return _a | return $activation(_a) | The activation is forgotten.
_a = _b | _a = $activation(_b) | The activation is forgotten.
_a = _b | _a = (_b) / ($kh * $kw) | A mean must be divided by kh * kw.
_a += _b | _a += (_b) / ($kh * $kw) | A mean must be divided by kh * kw.
_a = _b | _a = np.sum($dZ, axis=(0, 1, 2), keepdims=True) |
 db is not the sum of dZ that keeps its axes.
return _a, _b, _c | return _a, _b, np.sum($dZ, axis=(0, 1, 2), keepdims=True) |
 db is not the sum of dZ that keeps its axes.
[_a:_b] | [$y * $sh:$y * $sh + $kh] | A window is in the wrong place.
[_a:_b] | [_a:_a + $kh] | A window is in the wrong place.
_a = _b | _a = $y * $sh | A window is in the wrong place.
_a = _b | _a = $y * $sh + $kh | A window is in the wrong place.
[:_b] | [::$sh] | `:_b` stands where `::$sh` belongs.
[:_b] | [$other:$other + _b] | The image belongs behind its padding.
range(_a, _b, _c) | range(_a, _b - $kh + 1, _c) | Windows end inside the image.
W | $W[::-1, ::-1] | The kernel must be turned here.
_a[:, :, :, _b] | _a[0, 0, 0, _b] | NumPy 2.4 no longer accepts an array of one
 element for a number.
_o | _o + 1 | `+ 1` is missing here.
_o | _o - 1 | `- 1` is missing here.
_o | _o * $sh | `* $sh` is missing here.
_u | 2 * _u | `2 *` is missing here.
_u | _u + $moving | `+ $moving` is missing here.
""".strip().replace("\n ", " ").splitlines()]
TABLE += [[f"_a {one} _b", f"_a {two} _b",
           f"`{one}` stands where `{two}` belongs."]
          for pair in ("+ -", "+ *", "* /", "/ //", "// %", "-= +=", "and or",
                       "< <=", "> >=", ">= ==", "== !=", "is ==")
          for one, two in (pair.split(), pair.split()[::-1])]
# Such a sentence is told only if no other change is as small.
UNLIKELY = "is missing here.", "`!=` belongs."
FUNCTIONS = [{*several.split()} for several in (
    "sum mean max prod", "max min mean", "amax amin mean max", "dot multiply",
    "average sum mean", "argmax argmin", "minimum maximum", "any all",
    "round ceil floor rint", "zeros empty ones", "tile repeat",
    "constant edge reflect symmetric wrap")]
AXES = ["(1, 2, 3)", "(0, 1, 2)", *(f"({i}, {i + 1})" for i in range(5)),
        *"0123"]
REDUCTIONS = {"max", "mean", "sum", "min", "argmax", "amax"}
