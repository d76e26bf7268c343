"""Load balancers: listeners on loopback ports, routing and health checks, in one event loop."""
