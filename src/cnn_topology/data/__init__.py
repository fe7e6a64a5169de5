"""Named image sets: the papers' data, two that need no download, and a user's own; checked and checksummed."""
