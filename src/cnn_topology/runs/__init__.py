"""What is said of a whole run: its jobs, what they will cost, how far they are, whether their files are whole."""
