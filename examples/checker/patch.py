"""The mended copy of a student's file."""
from .mending import confirmed
from .files import job_for
from .reports import write
from .source import compared, decoded, lines_of


def merged(text, changes):
    """Return a text with changes (line, before, after), or None."""
    lines = lines_of(text)
    for line, before, after in sorted(changes, reverse=True):
        count = len(lines_of(before))
        if "".join(lines[line - 1:line - 1 + count]) != before:
            return None
        lines[line - 1:line - 1 + count] = [after]
    return "".join(lines)


def patched(options, checks):
    """Write the mended copy; return a line that says what is in it.

    Each function in it is right with the changes of all of them.
    """
    path, mended, left = options.paths[0], [], []
    text, encoding = decoded(path.read_bytes())
    new, changes = text, []
    for check in checks:
        if check["verdict"] != "wrong":
            continue
        more = compared(text, check["texts"][0]) if check["texts"] else []
        both = list(dict.fromkeys([*changes, *[one[:3] for one in more]]))
        trial = merged(text, both) if more else None
        names = {one["function"]: one["mended_by"]
                 for one in [*mended, check]}
        if trial is not None and (not mended or all(confirmed(
                name, job_for(path, options, [name], trial), trial, rule)
                for name, rule in names.items())):
            new, changes = trial, both
            mended.append(check)
        else:
            left.append(check["function"])
    if not mended:
        return "--patch: not written, for nothing is known that mends it."
    write(options.patch, new.encode(encoding))
    return (f"{options.patch}: a copy with "
            f"{', '.join(one['function'] for one in mended)} mended"
            + f"; not {', '.join(left)}" * bool(left) + ".")
