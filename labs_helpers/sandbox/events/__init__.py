"""Delivery of a service's events to the targets of EventBridge's rules."""
