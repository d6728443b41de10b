"""The lines that mend a file, in the letters of the definition."""
from .faults_conv_backward import CROP
from .faults_conv_forward import PAD_SIZE
from .faults_shared import PAD

LETTERS = {
    "top": "top, bottom, left, right: the zeros added on these sides",
    "h_pad": "h_pad, w_pad: the height and the width of A_pad",
    "window": "window: the pixels [n, y*sh:y*sh + kh, x*sw:x*sw + kw]",
    "dA_pad": "dA_pad: the gradient of A_pad, of its shape",
    "n": "n, y, x, k or c: image, row, column and channel of the output"}
RULE_LINES = {
    "keras": "rows = max((-(-h_prev // sh) - 1) * sh + kh - h_prev, 0)\n"
             "cols = max((-(-w_prev // sw) - 1) * sw + kw - w_prev, 0)\n"
             "top, left = rows // 2, cols // 2\n"
             "bottom, right = rows - top, cols - left",
    "size": "top = bottom = -(-((h_prev - 1) * sh + kh - h_prev) // 2)\n"
            "left = right = -(-((w_prev - 1) * sw + kw - w_prev) // 2)",
    "floor": "top = bottom = ((h_prev - 1) * sh + kh - h_prev) // 2\n"
             "left = right = ((w_prev - 1) * sw + kw - w_prev) // 2"}


def lines_to_write(name, cause, rule):
    """Return the lines that replace the faulty ones, under a rule."""
    padding = [RULE_LINES.get(rule, ""), PAD] + [PAD_SIZE if (
        name == "conv_forward") else CROP] * (rule == "keras")
    return cause.lines.replace("{padding}", "\n".join(padding)).split("\n")
