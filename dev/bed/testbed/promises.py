"""Promises: functions of a test file that must run through against the bed."""

import traceback

_made = []


def promise(text):
    """Marks a function of one argument, the bed, as the proof of a promise."""

    def remember(proof):
        _made.append((text, proof))
        return proof

    return remember


def made():
    """The promises marked so far, which are then forgotten."""
    taken = list(_made)
    _made.clear()
    return taken


def keep(text, proof, bed):
    """Tries one promise, says how it went, and tells whether it holds."""
    try:
        proof(bed)
    except Exception as error:  # whatever breaks it, the promise is not kept
        print(f"  FAIL  {text}", flush=True)
        print(indented(told(error)), flush=True)
        return False
    print(f"  ok    {text}", flush=True)
    return True


def told(error):
    """What went wrong: the line of the test, and the error's own words."""
    frame = traceback.extract_tb(error.__traceback__)[1]
    place = f"{frame.filename}:{frame.lineno}: {frame.line}"
    return f"{place}\n{type(error).__name__}: {error}"


def indented(text):
    return "\n".join(f"          {line}" for line in text.splitlines())
