"""What is in an image and what is known about it: inventory, advisories, matching.

Nothing here knows ECR: ``scan`` takes layers as files and gives a report, and the ECR service
turns the report into the shapes of its API. The whole room is imported when the first image is
scanned, never at start.
"""
