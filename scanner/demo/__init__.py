"""The simulated fleet: real SSH servers on loopback with planted truth."""
