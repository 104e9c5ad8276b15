"""What is shown: the figures, counted once, and one writer per format."""
