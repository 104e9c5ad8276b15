"""What is asked: the vocabulary, the probes, and one module per topic of pure judging functions."""
