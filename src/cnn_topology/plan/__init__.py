"""What a run computes: the config, validated once, and its expansion into populations, shards, clouds and jobs."""
