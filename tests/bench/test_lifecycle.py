"""A preview of a lifecycle policy over 10,000 images, and over a tenth of them, in one run."""

import json
import sqlite3
import statistics
import time
from pathlib import Path

import pytest

from labs_helpers.sandbox.clock import Clock
from labs_helpers.sandbox.ecr.store import Store
from tests.sandbox.ecr.operations.ecr_api import Ecr

pytestmark = pytest.mark.bench

IMAGES = 10_000
ROUNDS = 5
POLICY = json.dumps(
    {
        "rules": [
            {
                "rulePriority": priority,
                "selection": selection,
                "action": {"type": "expire"},
            }
            for priority, selection in enumerate(
                [
                    {
                        "tagStatus": "tagged",
                        "tagPatternList": ["prod*"],
                        "countType": "imageCountMoreThan",
                        "countNumber": 50,
                    },
                    {
                        "tagStatus": "untagged",
                        "countType": "sinceImagePushed",
                        "countUnit": "days",
                        "countNumber": 14,
                    },
                    {
                        "tagStatus": "any",
                        "countType": "imageCountMoreThan",
                        "countNumber": 100,
                    },
                ],
                1,
            )
        ]
    }
)


def _filled(folder: Path, count: int) -> Ecr:
    """A repository with images of which each tenth is tagged prod, and each third has no tag."""
    clock = Clock()
    ecr = Ecr(Store(folder, clock), clock)
    ecr("CreateRepository", repositoryName="demo")
    ecr.push("demo", "v0")
    with ecr.store.write() as db:
        _copy(db, count)
    return ecr


def _copy(db: sqlite3.Connection, count: int) -> None:
    """Multiply the one image; a row of each table, as a push of another image writes it."""
    (first,) = db.execute("select * from images").fetchall()
    parts = db.execute("select digest, media_type from image_parts").fetchall()
    columns = [name for name in dict(first) if name != "id"]
    for number in range(1, count):
        row = dict(first) | {"digest": f"sha256:{number:064x}"}
        row["pushed_at"] -= number * 60
        names, marks = ", ".join(columns), ", ".join("?" * len(columns))
        image = db.execute(
            f"insert into images ({names}) values ({marks})", [row[name] for name in columns]
        ).lastrowid
        rows = [(image, part["digest"], part["media_type"]) for part in parts]
        db.executemany("insert into image_parts values (?, ?, ?)", rows)
        if number % 3:
            tag = f"prod{number}" if number % 10 == 0 else f"v{number}"
            tagged = (row["repository_id"], tag, image, row["pushed_at"])
            db.execute("insert into image_tags values (?, ?, ?, ?)", tagged)


def _seconds(ecr: Ecr) -> float:
    taken = []
    for _ in range(ROUNDS):
        begin = time.process_time()
        ecr("StartLifecyclePolicyPreview", repositoryName="demo", lifecyclePolicyText=POLICY)
        found = ecr("GetLifecyclePolicyPreview", repositoryName="demo")
        taken.append(time.process_time() - begin)
        assert found["status"] == "COMPLETE"
    return statistics.median(taken)


def test_a_preview_over_ten_thousand_images(tmp_path: Path) -> None:
    small = _filled(tmp_path / "small", IMAGES // 10)
    large = _filled(tmp_path / "large", IMAGES)
    tenth, whole = _seconds(small), _seconds(large)
    print(
        f"\npreview: {IMAGES // 10} images {tenth * 1000:.0f} ms of CPU, {IMAGES} images "
        f"{whole * 1000:.0f} ms of CPU ({whole / tenth:.1f}x for 10x the images)"
    )
    for each in (small, large):
        each.store.close()
