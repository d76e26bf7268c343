"""CodeBuild's operations; one public function each."""
