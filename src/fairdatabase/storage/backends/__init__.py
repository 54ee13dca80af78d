"""Where bytes are kept: what a backend has to do, and the two that do it."""
