"""How things work: table declarations, graph, runner, Delta, quality, generator, metrics, command line."""
