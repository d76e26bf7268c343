"""What README says of the labs is so."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


def test_it_counts_the_images_of_the_stand_in_for_docker_hub() -> None:
    recipes = [*(ROOT / "labs_helpers" / "sandbox" / "hub" / "recipes").glob("*.json")]
    words = {8: "eight", 9: "nine", 10: "ten"}
    assert f"Docker Hub is a stand-in with {words[len(recipes)]} images" in README


def test_every_local_link_leads_somewhere() -> None:
    links = [link for link in re.findall(r"]\(([^)#]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
