"""What each job will cost, from the sizes in the config: the memory and run time that rules ask for."""
