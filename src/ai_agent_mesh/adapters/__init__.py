"""One folder per vendor or protocol, each implementing a port of a capability."""
