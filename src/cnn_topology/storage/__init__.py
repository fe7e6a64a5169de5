"""Artefacts on disk: written whole or not at all, and checked against their own checksum when read back."""
