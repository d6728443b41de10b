"""What the programs share: integers among their arguments, and safe files."""
import argparse
import os


def put(path, write):
    """Write a file under another name and, when complete, move it here."""
    temporary = path.with_name(f"new-{os.getpid()}-{path.name}")
    try:
        write(temporary)
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def problem_with(folder, names):
    """Return why these files cannot be written into a folder, or None."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        put(folder / "probe", lambda path: path.write_bytes(b"0" * 10**5))
        (folder / "probe").unlink()
    except OSError as error:
        return ("expected a folder that can be written "
                f"({error.strerror or error})")
    for name in names:
        if (folder / name).is_dir():
            return f"expected a file or nothing as {name}, got a folder"
    return None


def integer_from(minimum):
    """Return a reader of integers that rejects what is below a minimum."""
    def read(text):
        try:
            if int(text) >= minimum:
                return int(text)
        except ValueError:
            pass
        raise argparse.ArgumentTypeError(
            f"expected an integer of at least {minimum}, got {text}")
    return read
