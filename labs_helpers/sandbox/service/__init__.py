"""The kit on which the sandbox's own services stand: AWS JSON 1.1, state, paging, workers."""
