"""Names of what labs 09, 11 and 13 work with, for their preparations and checks."""

from pathlib import Path

PIPELINE = "demo-app"
GITHUB_REPOSITORY = "your-org/demo-app"
SOURCES = ("Dockerfile", "buildspec.yml", "gate.yml", "index.html", "test.sh")
"""What is in the first commit."""
PROJECTS = ("demo-app-build", "demo-app-gate")
LOG_GROUPS = tuple(f"/aws/codebuild/{one}" for one in PROJECTS)
CONNECTION = "demo-app-github"
SOURCE_REPOSITORY = "demo-app"
"""In CodeCommit, on AWS only: there the repository on GitHub is nobody's to play."""
ON_AWS = Path(__file__).with_name("on_aws")
"""Files of lab 09 that say something else on AWS."""
BUCKET = "demo-app-artifacts"
"""Of the artifact store; the account's number follows."""
ROLES = ("demo-app-build", "demo-app-pipeline", "demo-app-github")
EXECUTION_ROLE = "demo-app-execution"
RULE = "demo-app-pushed"
QUEUE = "demo-app-pushed"
GITHUB = "token.actions.githubusercontent.com"
CLUSTER, SERVICE, FAMILY = "demo", "web", "demo-app-web"
BY_TAG, FAMILY_BY_TAG = "by-tag", "demo-app-by-tag"
"""The second service, which shows what moving a tag does."""
OF_OTHER_LABS = ("shop", "front")
"""Services that labs 10 and 12 leave in the cluster, which is not deleted with services in it."""
