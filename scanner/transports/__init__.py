"""Ways to a target. Each is one function from a target and its requests to evidence."""
