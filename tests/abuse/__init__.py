"""Machines that look for what people did not think of: fuzzers and generated requests."""
