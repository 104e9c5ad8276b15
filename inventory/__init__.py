"""What there is: units, servers, buckets, systems, declarations, waivers; YAML to values."""
