"""From what a service keeps for EventBridge to the targets of the rules that want it."""
