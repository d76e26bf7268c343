"""AWS CodeConnections to a stand-in GitHub, whose repositories are git folders of the learner."""
