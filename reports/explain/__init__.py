"""`sauro documents explain`: what led to a verdict about documents, from a stored scan alone."""
