class AutoqcError(Exception):
    """What is wrong, with which file, and what to do."""
