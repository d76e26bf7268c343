"""ECR's keys are those of KMS, and its policies name people of IAM, on a running sandbox."""

import hashlib
import json

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.authorization.people_here import refusal_of
from tests.sandbox.sandbox_process import Running

HOST = "123456789012.dkr.ecr.us-west-2.amazonaws.com"


def create(sandbox: Running, name: str, **encryption: str) -> dict[str, str]:
    made = sandbox.client("ecr").create_repository(
        repositoryName=name, encryptionConfiguration=encryption
    )
    found: dict[str, str] = made["repository"]["encryptionConfiguration"]
    return found


def test_the_key_that_aws_manages_is_made_once_and_described(sandbox: Running) -> None:
    kms = sandbox.client("kms")
    first = create(sandbox, "managed", encryptionType="KMS")
    second = create(sandbox, "managed-too", encryptionType="KMS")
    assert first == second
    described = kms.describe_key(KeyId="alias/aws/ecr")["KeyMetadata"]
    assert (described["Arn"], described["KeyManager"]) == (first["kmsKey"], "AWS")


def test_a_key_may_be_named_in_every_way(sandbox: Running) -> None:
    kms = sandbox.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.create_alias(AliasName="alias/mine", TargetKeyId=key["KeyId"])
    for number, name in enumerate((key["KeyId"], key["Arn"], "alias/mine")):
        made = create(sandbox, f"own-{number}", encryptionType="KMS", kmsKey=name)
        assert made["kmsKey"] == key["Arn"]


def test_a_key_that_cannot_be_used_is_kmss_refusal(sandbox: Running) -> None:
    """Reported as S4."""
    kms = sandbox.client("kms")
    key = kms.create_key()["KeyMetadata"]
    kms.disable_key(KeyId=key["KeyId"])
    gone = "arn:aws:kms:us-west-2:123456789012:key/00000000-0000-0000-0000-000000000000"
    for name, error, words in (
        (gone, "NotFoundException", f"Key '{gone}' does not exist"),
        ("alias/none", "NotFoundException", "alias/none' does not exist"),
        (key["Arn"], "DisabledException", f"{key['Arn']} is disabled."),
    ):
        with pytest.raises(ClientError) as refused:
            create(sandbox, "refused", encryptionType="KMS", kmsKey=name)
        answer = refused.value.response
        assert (answer["Error"]["Code"], answer["kmsError"]) == ("KmsException", error)
        assert words in answer["Error"]["Message"]


@pytest.mark.parametrize(
    ("taken_away", "words"),
    [("disable_key", "is disabled."), ("schedule_key_deletion", "is pending deletion.")],
)
def test_a_key_that_is_taken_away_ends_push_and_pull(
    sandbox: Running, taken_away: str, words: str
) -> None:
    """https://docs.aws.amazon.com/AmazonECR/latest/userguide/encryption-at-rest.html"""
    ecr, kms, name = sandbox.client("ecr"), sandbox.client("kms"), taken_away.replace("_", "-")
    key = kms.create_key()["KeyMetadata"]["Arn"]
    create(sandbox, name, encryptionType="KMS", kmsKey=key)
    (given,) = ecr.get_authorization_token()["authorizationData"]
    headers = {"Host": HOST, "Authorization": f"Basic {given['authorizationToken']}"}
    layer = b"a layer"
    digest = f"sha256:{hashlib.sha256(layer).hexdigest()}"
    uploads, blob = f"/v2/{name}/blobs/uploads/", f"/v2/{name}/blobs/{digest}"
    assert sandbox.ask("POST", f"{uploads}?digest={digest}", layer, headers)[0] == 201
    getattr(kms, taken_away)(KeyId=key)
    for method, path in (("POST", uploads), ("GET", blob)):
        status, _, told = sandbox.ask(method, path, None, headers)
        assert (status, json.loads(told)["errors"][0]["code"]) == (403, "DENIED")
        assert words in json.loads(told)["errors"][0]["message"]
    for operation, params in (
        ("initiate_layer_upload", {}),
        ("get_download_url_for_layer", {"layerDigest": digest}),
    ):
        code, message = refusal_of(ecr, operation, repositoryName=name, **params)[1:]
        assert code == "KmsException"
        assert words in message
    if taken_away == "schedule_key_deletion":
        kms.cancel_key_deletion(KeyId=key)
    kms.enable_key(KeyId=key)
    assert sandbox.ask("GET", blob, None, headers)[2] == layer


def test_a_policy_names_people_who_are_there(sandbox: Running) -> None:
    ecr, iam = sandbox.client("ecr"), sandbox.client("iam")
    ecr.create_repository(repositoryName="shared")
    statement = {"Effect": "Allow", "Action": "ecr:BatchGetImage"}

    def set_policy(principal: object) -> None:
        policy = {"Version": "2012-10-17", "Statement": {**statement, "Principal": principal}}
        ecr.set_repository_policy(repositoryName="shared", policyText=json.dumps(policy))

    role = "arn:aws:iam::123456789012:role/puller"
    with pytest.raises(ClientError, match="'Principal not found'"):
        set_policy({"AWS": role})
    iam.create_role(
        RoleName="puller",
        AssumeRolePolicyDocument=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": {
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "ec2.amazonaws.com"},
                },
            }
        ),
    )
    set_policy({"AWS": role})
    set_policy({"AWS": "210987654321"})
    set_policy("*")


def test_the_administrator_cannot_lock_themselves_out_by_mistake(sandbox: Running) -> None:
    ecr = sandbox.client("ecr")
    ecr.create_repository(repositoryName="locked")
    deny = {"Effect": "Deny", "Action": "ecr:*", "Principal": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": deny})
    with pytest.raises(ClientError, match="would prevent you from setting another policy"):
        ecr.set_repository_policy(repositoryName="locked", policyText=text)
    assert ecr.describe_images(repositoryName="locked")["imageDetails"] == []
    ecr.set_repository_policy(repositoryName="locked", policyText=text, force=True)
    with pytest.raises(ClientError, match="explicit deny in a resource-based policy"):
        ecr.describe_images(repositoryName="locked")
