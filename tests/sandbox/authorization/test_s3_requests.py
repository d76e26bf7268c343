"""A request to Amazon S3 means one thing to the decision and to what is then done."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth

from tests.policies import allow, deny
from tests.sandbox.authorization.crook import Crook, Reply
from tests.sandbox.authorization.people_here import People, Person
from tests.sandbox.sandbox_process import REGION, Running

PUBLIC, SECRET = "public-b", "secret-b"
IN_PUBLIC, IN_SECRET = f"arn:aws:s3:::{PUBLIC}/*", f"arn:aws:s3:::{SECRET}/*"
KEYS = ["key", "key#x", "key;x", "key x", "key+x", "key%41", "a/b", "ключ/é", "//x", "..\\key"]
LOCATION = {"LocationConstraint": REGION}


@pytest.fixture(scope="module")
def s3(sandbox: Running) -> Any:
    client = sandbox.client("s3")
    for bucket in (PUBLIC, SECRET):
        client.create_bucket(Bucket=bucket, CreateBucketConfiguration=LOCATION)
        for key in KEYS:
            client.put_object(Bucket=bucket, Key=key, Body=f"{bucket}:{key}".encode())
    # a reading that takes the wrong part for the bucket would find these
    client.put_object(Bucket=PUBLIC, Key=f"{SECRET}/key", Body=b"public-b:nested")
    return client


@pytest.fixture(scope="module")
def people(sandbox: Running, s3: Any) -> People:
    return People(sandbox)


@pytest.fixture(scope="module")
def writer(people: People) -> Person:
    """May read and write the public bucket, and nothing else."""
    return people.make("writer", allow("s3:GetObject*", "s3:PutObject", on=IN_PUBLIC))


@pytest.fixture(scope="module")
def denied(people: People) -> Person:
    """May do everything but read the secret bucket."""
    return people.make("denied", allow("s3:*"), deny("s3:GetObject*", on=IN_SECRET))


def _named(*parts: str) -> str:
    """A name that a user and a bucket may have."""
    return re.sub("[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


def copy(person: Person, source: str, path: str = f"/{PUBLIC}/stolen") -> Reply:
    headers = {"x-amz-copy-source": source}
    return Crook(person).send("s3", "PUT", path, headers=headers, signer=S3SigV4Auth)


def stolen(s3: Any) -> str | None:
    """The secret that the copy in the public bucket has; None for no copy, or one of other data."""
    try:
        found = s3.get_object(Bucket=PUBLIC, Key="stolen")["Body"].read().decode()
    except s3.exceptions.NoSuchKey:
        return None
    s3.delete_object(Bucket=PUBLIC, Key="stolen")
    return found if found.startswith(SECRET) else None


SPELLINGS = [
    *(f"{SECRET}/{quote(key)}" for key in KEYS),
    *(f"/{SECRET}/{quote(key)}" for key in KEYS),
    *(quote(f"/{SECRET}/{key}", safe="") for key in KEYS),
    f"{SECRET}/key#x",
    f"{SECRET}/key;x",
    f"{SECRET}/key#",
    f"{SECRET}/key;",
    f"{SECRET};x/key",
    f"{SECRET}#/key",
    f"//{PUBLIC}/{SECRET}/key",
    f"%2F%2F{PUBLIC}/{SECRET}/key",
    f"/%2F{PUBLIC}/{SECRET}/key",
    f"///{SECRET}/key",
    f"{SECRET}%2Fkey",
    f"{SECRET}%252Fkey",
    f"{PUBLIC}/../{SECRET}/key",
    f"{PUBLIC}/%2e%2e/{SECRET}/key",
    f"{PUBLIC}%2F..%2F{SECRET}%2Fkey",
    f"{SECRET}/k%65y",
    f"{SECRET}/k%2565y",
    "%73ecret-b/key",
    f"{SECRET}/key?versionId=null",
    f"{SECRET}/key?versionId=null&versionId=null",
    f"{SECRET}/key?versionId=",
    f"{SECRET}/key?versionid=null",
    f"{SECRET}/key?%76ersionId=null",
    f"{SECRET}/key?x=/{PUBLIC}/key",
    f"{PUBLIC}/key?versionId=null&x=/{SECRET}/key",
    f"{PUBLIC}/key?/{SECRET}/key",
    f"{SECRET}/key?",
    f"{SECRET}/key%3FversionId=null",
    f"http://{SECRET}/key",
    f"http://{PUBLIC}/{SECRET}/key",
    f"https://{SECRET}.s3.amazonaws.com/key",
    f"s3://{SECRET}/key",
    f"//x@{SECRET}/key",
    f"{PUBLIC}\\{SECRET}/key",
    f"{SECRET}\\key",
    f" {SECRET}/key",
    f"{SECRET}/key ",
    f"{SECRET.upper()}/key",
    f"{SECRET}./key",
    f"{SECRET}",
    f"{SECRET}/",
    f"{SECRET}/%",
    f"{SECRET}/%zz",
    f"{SECRET}/%ff",
    f"\u00e9{SECRET}/key",
    "",
    "/",
    f"arn:aws:s3:{REGION}:123456789012:accesspoint/mine/object/key",
    f"arn%3Aaws%3As3%3A%3A%3A{SECRET}/key",
    f"arn:aws:s3:::{SECRET}/key",
]


@pytest.mark.parametrize("source", SPELLINGS)
def test_no_spelling_copies_what_may_not_be_read(
    writer: Person, denied: Person, s3: Any, source: str
) -> None:
    """Reported as D2."""
    for person in (writer, denied):
        told = copy(person, source.encode().decode("latin-1"))
        assert stolen(s3) is None
        assert told.status in (200, 400, 403, 404, 501), told


@pytest.mark.parametrize("source", [f"{SECRET}/{quote(key)}" for key in KEYS])
def test_what_may_not_be_read_is_denied_in_words(
    writer: Person, denied: Person, source: str
) -> None:
    for person in (writer, denied):
        told = copy(person, source)
        assert told.status == 403
        assert "<Code>AccessDenied</Code>" in told.body
        assert f"arn:aws:s3:::{SECRET}/" in told.body


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (f"//{PUBLIC}/key", "Invalid copy source bucket name"),
        (f"{PUBLIC}%252Fkey/x", "Invalid copy source bucket name"),
        (f"{PUBLIC};/key", "Invalid copy source bucket name"),
        (f"http://{PUBLIC}/key", "Invalid copy source bucket name"),
        (PUBLIC, "Invalid copy source object key"),
        (f"{PUBLIC}/", "Invalid copy source object key"),
        (f"{PUBLIC}/{'x' * 1025}", "Invalid copy source object key"),
        (f"{PUBLIC}/key?x=1", "Invalid copy source object key"),
        (f"{PUBLIC}/key?versionId=1&versionId=2", "Invalid copy source object key"),
        (f"{PUBLIC}/key?versionId=", "Version id cannot be the empty string"),
        (f"{PUBLIC}/%zz", "Invalid copy source encoding"),
        (f"{PUBLIC}/%ff", "Invalid copy source encoding"),
    ],
)
def test_a_source_that_is_none_is_told_in_the_words_of_s3(
    denied: Person, source: str, message: str
) -> None:
    told = copy(denied, source)
    assert told.status == 400
    assert f"<Code>InvalidArgument</Code><Message>{message}</Message>" in told.body


def test_a_part_of_an_upload_is_a_copy_too(writer: Person, s3: Any) -> None:
    """Reported as D2."""
    upload = s3.create_multipart_upload(Bucket=PUBLIC, Key="parts")["UploadId"]
    path = f"/{PUBLIC}/parts?uploadId={upload}&partNumber=1"
    for source in (f"//{PUBLIC}/{SECRET}/key", f"{SECRET}/key", f"{SECRET}/key#x"):
        assert copy(writer, source, path).status in (400, 403)
    assert "Parts" not in s3.list_parts(Bucket=PUBLIC, Key="parts", UploadId=upload)
    assert copy(writer, f"{PUBLIC}/key", path).status == 200
    (part,) = s3.list_parts(Bucket=PUBLIC, Key="parts", UploadId=upload)["Parts"]
    assert part["Size"] == len(f"{PUBLIC}:key")


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("as_text", [False, True])
def test_a_copy_that_may_be_made_is_made(writer: Person, s3: Any, key: str, as_text: bool) -> None:
    source: Any = f"{PUBLIC}/{key}" if as_text else {"Bucket": PUBLIC, "Key": key}
    writer.client("s3").copy_object(Bucket=PUBLIC, Key=f"copy of {key}", CopySource=source)
    found = s3.get_object(Bucket=PUBLIC, Key=f"copy of {key}")["Body"].read()
    assert found.decode() == f"{PUBLIC}:{key}"


def test_a_plus_sign_in_a_source_is_a_space(writer: Person, s3: Any) -> None:
    assert copy(writer, f"{PUBLIC}/key+x").status == 200
    found = s3.get_object(Bucket=PUBLIC, Key="stolen")["Body"].read()
    s3.delete_object(Bucket=PUBLIC, Key="stolen")
    assert found.decode() == f"{PUBLIC}:key x"


def test_a_copy_of_a_version_needs_to_read_that_version(people: People, s3: Any) -> None:
    s3.create_bucket(Bucket="versions-b", CreateBucketConfiguration=LOCATION)
    s3.put_bucket_versioning(Bucket="versions-b", VersioningConfiguration={"Status": "Enabled"})
    first, second = (
        s3.put_object(Bucket="versions-b", Key="k", Body=body)["VersionId"]
        for body in (b"one", b"two")
    )
    everywhere = "arn:aws:s3:::versions-b/*"
    old = people.make("old", allow("s3:GetObjectVersion", "s3:PutObject", on=everywhere))
    new = people.make("new", allow("s3:GetObject", "s3:PutObject", on=everywhere))
    source = {"Bucket": "versions-b", "Key": "k"}
    for version, body in ((first, b"one"), (second, b"two")):
        old.client("s3").copy_object(
            Bucket="versions-b", Key="copy", CopySource={**source, "VersionId": version}
        )
        assert s3.get_object(Bucket="versions-b", Key="copy")["Body"].read() == body
        assert "s3:GetObjectVersion" in new.denied(
            "s3",
            "copy_object",
            Bucket="versions-b",
            Key="copy",
            CopySource={**source, "VersionId": version},
        )
    assert "s3:GetObject " in old.denied(
        "s3", "copy_object", Bucket="versions-b", Key="copy", CopySource=source
    )


@pytest.mark.parametrize("key", ["a b+c.txt", "50%.txt", "é/ü.txt", "x#y;z.txt"])
def test_the_command_copies_between_buckets(
    sandbox: Running, s3: Any, tmp_path: Path, key: str
) -> None:
    s3.put_object(Bucket=SECRET, Key=key, Body=key.encode())
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(tmp_path),
        "AWS_ENDPOINT_URL": sandbox.url,
        "AWS_REGION": REGION,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": sandbox.learner["access_key_id"],
        "AWS_SECRET_ACCESS_KEY": sandbox.learner["secret_access_key"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_MAX_ATTEMPTS": "1",
    }
    command = ["aws", "s3", "cp", f"s3://{SECRET}/{key}", f"s3://{PUBLIC}/{key}"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")
    assert s3.get_object(Bucket=PUBLIC, Key=key)["Body"].read() == key.encode()


@pytest.mark.parametrize(
    ("query", "headers"),
    [
        # a query stands for a header, in a presigned URL; a header and a query may not differ
        (f"?x-amz-copy-source={PUBLIC}/key", {"x-amz-copy-source": f"{SECRET}/key"}),
        (f"?x-amz-copy-source={SECRET}/key", {"x-amz-copy-source": f"{PUBLIC}/key"}),
        (f"?X-Amz-Copy-Source={SECRET}/key", {}),
        (f"?x-amz-copy-source={SECRET}/key", {}),
        ("?acl", {"x-amz-copy-source": f"{PUBLIC}/key", "x-amz-acl": "public-read"}),
        ("?tagging", {"x-amz-copy-source": f"{PUBLIC}/key"}),
        ("?legal-hold", {"x-amz-copy-source": f"{PUBLIC}/key"}),
        ("?encryption", {}),
        ("?torrent", {}),
        ("?uploadId=1", {}),
        ("?uploadId=&partNumber=1", {}),
    ],
)
def test_a_put_means_one_thing(
    writer: Person, s3: Any, query: str, headers: dict[str, str]
) -> None:
    s3.put_object(Bucket=PUBLIC, Key="stolen", Body=b"before")
    s3.put_object_tagging(
        Bucket=PUBLIC, Key="stolen", Tagging={"TagSet": [{"Key": "a", "Value": "b"}]}
    )
    body = b"<Tagging><TagSet></TagSet></Tagging>"
    path = f"/{PUBLIC}/stolen{query}"
    told = Crook(writer).send("s3", "PUT", path, body, headers, signer=S3SigV4Auth)
    assert told.status in (400, 403, 404, 501), told
    assert s3.get_object(Bucket=PUBLIC, Key="stolen")["Body"].read() == b"before"
    assert s3.get_object_tagging(Bucket=PUBLIC, Key="stolen")["TagSet"] != []
    grants = s3.get_object_acl(Bucket=PUBLIC, Key="stolen")["Grants"]
    assert "URI" not in [key for grant in grants for key in grant["Grantee"]]
    s3.delete_object(Bucket=PUBLIC, Key="stolen")


def test_a_header_in_a_presigned_url_counts(people: People, s3: Any) -> None:
    private = {"StringEquals": {"s3:x-amz-acl": "private"}}
    person = people.make(
        "private", allow("s3:PutObject", "s3:PutObjectAcl", on=IN_PUBLIC, Condition=private)
    )
    crook = Crook(person)
    asked: dict[str, Any] = {"method": "PUT", "signer": S3SigV4QueryAuth}
    path = f"/{PUBLIC}/acl?x-amz-acl="
    assert crook.send("s3", path=path + "private", **asked).status == 200
    assert crook.send("s3", path=path + "public-read", **asked).status == 403
    both = {"x-amz-acl": "public-read"}
    assert crook.send("s3", path=path + "private", headers=both, **asked).status == 400


@pytest.mark.parametrize(
    ("method", "action", "query"),
    [
        ("GET", "s3:GetObjectRetention", "?retention"),
        ("GET", "s3:GetObjectTorrent", "?torrent"),
        ("GET", "s3:ListMultipartUploadParts", "?uploadId="),
        ("GET", "s3:GetObject*", "?acl&versionId="),
        ("DELETE", "s3:AbortMultipartUpload", "?uploadId="),
        ("DELETE", "s3:DeleteObjectTagging", "?tagging&uploadId="),
        ("PUT", "s3:PutObjectRetention", "?encryption"),
        ("POST", "s3:PutObject", ""),
        ("POST", "s3:PutObject", "?select"),
    ],
)
def test_what_is_decided_on_is_what_is_done_to_an_object(
    people: People, s3: Any, method: str, action: str, query: str
) -> None:
    name = _named("only", method, action, query)
    crook = Crook(people.make(name, allow(action, "s3:UpdateObjectEncryption")))
    told = crook.send("s3", method, f"/{SECRET}/key{query}", b"", signer=S3SigV4Auth)
    assert told.status in (400, 403, 404, 501), told
    assert f"{SECRET}:key" not in told.body
    assert s3.get_object(Bucket=SECRET, Key="key")["Body"].read().decode() == f"{SECRET}:key"


@pytest.mark.parametrize(
    ("method", "query"),
    [
        ("DELETE", "?inventory&id=1"),
        ("DELETE", "?analytics&id=1"),
        ("DELETE", "?metrics&id=1"),
        ("DELETE", "?intelligent-tiering&id=1"),
        ("DELETE", "?metadataTable"),
        ("PUT", "?requestPayment"),
        ("PUT", "?metrics&id=1"),
        ("GET", "?requestPayment"),
        ("GET", "?session"),
    ],
)
def test_a_setting_that_moto_lacks_is_refused_and_nothing_else_is_done(
    people: People, s3: Any, method: str, query: str
) -> None:
    bucket = _named("lacking", method, query)
    if method != "PUT":
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration=LOCATION)
    told = Crook(people.make(bucket, allow("s3:*"))).send(
        "s3", method, f"/{bucket}{query}", b"", signer=S3SigV4Auth
    )
    assert (told.status, "<Code>NotInSandbox</Code>" in told.body) == (501, True), told
    buckets = [each["Name"] for each in s3.list_buckets()["Buckets"]]
    assert (bucket in buckets) is (method != "PUT")


class TestVersions:
    """Deleting a version for good is another permission than deleting an object."""

    @pytest.fixture(scope="class")
    @staticmethod
    def version(s3: Any) -> str:
        s3.create_bucket(Bucket="kept-b", CreateBucketConfiguration=LOCATION)
        s3.put_bucket_versioning(Bucket="kept-b", VersioningConfiguration={"Status": "Enabled"})
        return str(s3.put_object(Bucket="kept-b", Key="k", Body=b"kept")["VersionId"])

    @pytest.fixture(scope="class")
    @staticmethod
    def crook(people: People, version: str) -> Crook:
        return Crook(people.make("deleter", allow("s3:DeleteObject", on="arn:aws:s3:::kept-b/*")))

    def is_kept(self, s3: Any, version: str) -> bool:
        found = s3.get_object(Bucket="kept-b", Key="k", VersionId=version)
        return bool(found["Body"].read() == b"kept")

    def test_in_the_query(self, crook: Crook, s3: Any, version: str) -> None:
        told = crook.send("s3", "DELETE", f"/kept-b/k?versionId={version}", signer=S3SigV4Auth)
        assert told.status == 403
        assert self.is_kept(s3, version)

    def test_in_a_body_that_nobody_asked_for(self, crook: Crook, s3: Any, version: str) -> None:
        body = json.dumps({"versionId": version}).encode()
        assert crook.send("s3", "DELETE", "/kept-b/k", body, signer=S3SigV4Auth).status == 204
        assert self.is_kept(s3, version)

    @pytest.mark.parametrize(
        "text",
        [
            "<Delete><Object><Key>k</Key><VersionId>{}</VersionId></Object></Delete>",
            '<Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            "<Object><VersionId>{}</VersionId><Key>k</Key></Object></Delete>",
        ],
    )
    def test_in_a_list(self, crook: Crook, s3: Any, version: str, text: str) -> None:
        body = text.format(version).encode()
        told = crook.send("s3", "POST", "/kept-b?delete", body, signer=S3SigV4Auth)
        assert told.status == 403
        assert "s3:DeleteObjectVersion" in told.body
        assert self.is_kept(s3, version)


@pytest.mark.parametrize(
    "body",
    [
        "<Delete></Delete>",
        "<Delete><Object></Object></Delete>",
        "<Delete><Object><Key>a</Key><Key>k</Key></Object></Delete>",
        "<Delete><Object><Key>a<b/>k</Key></Object></Delete>",
        "<Other><Object><Key>k</Key></Object></Other>",
        "{}",
    ],
)
def test_a_list_of_deletions_that_is_none(denied: Person, s3: Any, body: str) -> None:
    told = Crook(denied).send("s3", "POST", f"/{SECRET}?delete", body.encode(), signer=S3SigV4Auth)
    assert (told.status, "<Code>MalformedXML</Code>" in told.body) == (400, True)


def test_deletions_of_any_key_are_made(s3: Any) -> None:
    keys = ["del/a&b<c>", "del/é", "del/ x "]
    for key in keys:
        s3.put_object(Bucket=PUBLIC, Key=key, Body=b"x")
    objects = [{"Key": key} for key in keys]
    answer = s3.delete_objects(Bucket=PUBLIC, Delete={"Objects": objects})
    assert sorted(each["Key"] for each in answer["Deleted"]) == sorted(keys)
    assert "Contents" not in s3.list_objects_v2(Bucket=PUBLIC, Prefix="del/")


@pytest.mark.parametrize(
    ("headers", "needs"),
    [
        ({"ACL": "public-read"}, "s3:PutObjectAcl"),
        ({"Tagging": "a=b"}, "s3:PutObjectTagging"),
        ({"ObjectLockLegalHoldStatus": "ON"}, "s3:PutObjectLegalHold"),
    ],
)
@pytest.mark.parametrize("operation", ["put_object", "create_multipart_upload"])
def test_what_a_header_sets_needs_its_own_permission(
    people: People, operation: str, headers: dict[str, str], needs: str
) -> None:
    name = _named("plain", operation, needs)
    person = people.make(name, allow("s3:PutObject", on=IN_PUBLIC))
    assert needs in person.denied("s3", operation, Bucket=PUBLIC, Key="new", **headers)


@pytest.mark.parametrize("bucket", ["%23", "a%3Fb", "x%3By", "..", "a%5Cb", "public-b%00"])
def test_a_name_that_no_bucket_has(denied: Person, bucket: str) -> None:
    told = Crook(denied).send("s3", "GET", f"/{bucket}/key", signer=S3SigV4Auth)
    assert (told.status, "<Code>InvalidBucketName</Code>" in told.body) == (400, True), told
