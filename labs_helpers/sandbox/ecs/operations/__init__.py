"""The operations of ECS; one public function each."""
