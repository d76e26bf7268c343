"""The operations of CodeCommit that the sandbox has."""
