"""The tables of a run: one schema each, written atomically, checked on reading."""
