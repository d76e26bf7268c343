"""What every service of ours stands on: refusals in the words and form of each AWS protocol."""
