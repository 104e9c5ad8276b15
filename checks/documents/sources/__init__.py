"""One module per kind of register, gateway export or mail log: its probe and its parser."""
