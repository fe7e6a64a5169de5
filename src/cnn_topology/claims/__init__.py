"""The claims of both papers, each with a rule decided beforehand, evaluated from tables alone."""
