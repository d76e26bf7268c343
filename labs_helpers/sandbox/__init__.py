"""The sandbox: AWS as far as the labs need it, on one loopback port."""
