"""CodePipeline's operations; one public function each."""
