"""Lab 01: what its checks say of answers that people give."""

from collections.abc import Iterator

import pytest

from tests.labs.desk import Desk, desk, rows

BUCKET = "labs-archive-123456789012"
KEYS = '"$LABS_ACCESS_KEY_ID" "$LABS_SECRET_ACCESS_KEY"'


@pytest.fixture(scope="module")
def lab() -> Iterator[Desk]:
    with desk("01") as made:
        yield made


@pytest.fixture(autouse=True)
def as_the_lesson_left_it(lab: Desk) -> None:
    lab.done('rm -f "$AWS_CONFIG_FILE" "$AWS_SHARED_CREDENTIALS_FILE"')
    lab.begin()
    lab.done(answers("us-west-2"))
    for bucket in lab.place.client("s3").list_buckets()["Buckets"]:
        lab.done(f"aws s3 rb s3://{bucket['Name']} --force")


def answers(region: str, profile: str = "", output: str = "json", keys: str = KEYS) -> str:
    """The four answers to `aws configure`."""
    named = f" --profile {profile}" if profile else ""
    return f"printf '%s\\n' {keys} {region} {output} | aws configure{named}"


SOLUTION = answers("eu-west-1", "workshop")
RIGHT = {
    "one answer at a time": """
for name in aws_access_key_id aws_secret_access_key; do
  aws configure set $name "$(aws configure get $name)" --profile workshop
done
aws configure set region eu-west-1 --profile workshop
aws configure set output json --profile workshop
""",
    "in the editor, with the key in the other file": """
cat >> $AWS_CONFIG_FILE <<END
[profile workshop]
region = eu-west-1
output = json
aws_access_key_id = $LABS_ACCESS_KEY_ID
aws_secret_access_key = $LABS_SECRET_ACCESS_KEY
END
""",
    "the source of the key is the other profile": """
python - <<'END'
import configparser, os
path = os.environ["AWS_SHARED_CREDENTIALS_FILE"]
keys = configparser.RawConfigParser(default_section="none")
keys.read(path)
keys["workshop"] = keys["default"]
keys.write(open(path, "w"))
END
aws configure set region eu-west-1 --profile workshop
aws configure set output json --profile workshop
""",
    "corrected after a slip": answers("eu-west-2", "workshop") + "\n" + SOLUTION,
}
WRONG = {
    "the region of default": (answers("us-west-2", "workshop"), "us-west-2 | region eu-west-1"),
    "no region": (answers("''", "workshop"), "none | region eu-west-1"),
    "a region and no key": (
        "aws configure set region eu-west-1 --profile workshop",
        "Unable to locate credentials | the same key | which key has the profile default?",
    ),
    "a secret with a slip": (
        answers("eu-west-1", "workshop", keys='"$LABS_ACCESS_KEY_ID" "x$LABS_SECRET_ACCESS_KEY"'),
        "SignatureDoesNotMatch | the same key",
    ),
    "another key": (
        "read -r id secret <<< $(aws iam create-access-key --user-name learner --output text "
        "--query 'AccessKey.[AccessKeyId, SecretAccessKey]')\n"
        + answers("eu-west-1", "workshop", keys='"$id" "$secret"'),
        "another key than default's | the same key | two profiles may share one key",
    ),
    "another output": (
        answers("eu-west-1", "workshop", "text"),
        "text | output json | it is the fourth of the answers",
    ),
    "no output": (answers("eu-west-1", "workshop", "''"), "none | output json"),
    "default changed": (
        f"{SOLUTION}\naws configure set region eu-west-1",
        "eu-west-1 | the profile default must stay as it is",
    ),
    "the output of default changed": (
        f"{SOLUTION}\naws configure set output table",
        "the output of profile default | table",
    ),
    "a name with a slip": (
        answers("eu-west-1", "Workshop"),
        "Workshop | the profile workshop | compare the two names",
    ),
}
NOT_TRIED = {"nothing": "", "default only": answers("eu-west-1")}


@pytest.mark.parametrize("answer", rows(RIGHT))
def test_profile_right(lab: Desk, answer: str) -> None:
    seen = lab.after("01.1", RIGHT[answer])
    assert seen.startswith("passed: Profile workshop has the key of default, in eu-west-1")


@pytest.mark.parametrize("answer", rows(WRONG, 10))
def test_profile_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("01.1", *WRONG[answer])


@pytest.mark.parametrize("answer", rows(NOT_TRIED))
def test_profile_not_tried(lab: Desk, answer: str) -> None:
    assert lab.after("01.1", NOT_TRIED[answer]).startswith("not tried: the profile workshop")


MAKE = f"aws s3 mb s3://{BUCKET}"
VERSIONS = f"aws s3api put-bucket-versioning --bucket {BUCKET} --versioning-configuration Status="
EXPIRE = (
    '{"Rules": [{"ID": "r", "Status": "Enabled", "Filter": {"Prefix": ""},'
    ' "NoncurrentVersionExpiration": {"NoncurrentDays": 30}}]}'
)
LIFECYCLE = (
    f"aws s3api put-bucket-lifecycle-configuration --bucket {BUCKET} --lifecycle-configuration"
)

ARCHIVE_RIGHT = {
    "create-bucket": f"aws s3api create-bucket --bucket {BUCKET} --create-bucket-configuration "
    f"LocationConstraint=us-west-2; {VERSIONS}Enabled",
    "another region": f"{MAKE} --region eu-west-1; {VERSIONS}Enabled",
    "switched off and on": f"{MAKE}; {VERSIONS}Enabled; {VERSIONS}Suspended; {VERSIONS}Enabled",
    "with a file in it": f"{MAKE}; {VERSIONS}Enabled; echo 1 | aws s3 cp - s3://{BUCKET}/a",
}
ARCHIVE_WRONG = {
    "no versioning": (
        MAKE,
        "never switched on | the bucket must keep every version of a file",
    ),
    "suspended": (
        f"{MAKE}; {VERSIONS}Suspended",
        "Suspended | the bucket must keep every version of a file | suspended means",
    ),
    "the number left out": (
        "aws s3 mb s3://labs-archive",
        "labs-archive | the bucket labs-archive- and your account number",
    ),
    "a number with a slip": (
        "aws s3 mb s3://labs-archive-12345678901",
        "your account number is 123456789012",
    ),
    "the words turned round": ("aws s3 mb s3://archive-labs-$ACCOUNT", "archive-labs-123456789012"),
    "old versions expire": (
        f"{MAKE}; {VERSIONS}Enabled; {LIFECYCLE} '{EXPIRE}'",
        "a rule by which old versions expire | nothing in it may be lost",
    ),
    "switched on and off": (f"{MAKE}; {VERSIONS}Enabled; {VERSIONS}Suspended", "Suspended"),
}
ARCHIVE_NOT_TRIED = {
    "nothing": "",
    "the lesson's bucket": "aws s3 mb s3://labs-cli-$ACCOUNT",
}


@pytest.mark.parametrize("answer", rows(ARCHIVE_RIGHT))
def test_archive_right(lab: Desk, answer: str) -> None:
    assert lab.after("01.2", ARCHIVE_RIGHT[answer]).startswith(f"passed: {BUCKET} keeps every")


@pytest.mark.parametrize("answer", rows(ARCHIVE_WRONG))
def test_archive_wrong(lab: Desk, answer: str) -> None:
    lab.finds_wrong("01.2", *ARCHIVE_WRONG[answer])


@pytest.mark.parametrize("answer", rows(ARCHIVE_NOT_TRIED))
def test_archive_not_tried(lab: Desk, answer: str) -> None:
    assert lab.after("01.2", ARCHIVE_NOT_TRIED[answer]).startswith(f"not tried: bucket {BUCKET}")
