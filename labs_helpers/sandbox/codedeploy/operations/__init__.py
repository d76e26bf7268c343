"""The operations of CodeDeploy; one public function each."""
