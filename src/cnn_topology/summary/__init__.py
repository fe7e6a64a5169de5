"""What a run found, in the lines of its `summary.txt`, from its tables alone."""
