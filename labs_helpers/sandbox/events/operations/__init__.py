"""EventBridge's operations; one public function each."""
