"""The only room that imports moto: moto's services behind the door, and what moto is used for.

moto reads its settings when its modules are imported, so they are made here, before any of these.
"""

import os

SETTINGS = {
    "MOTO_IAM_LOAD_MANAGED_POLICIES": "true",
    # no other web page may read what the sandbox answers
    "MOTO_DISABLE_GLOBAL_CORS": "true",
    "MOTO_EVENTS_INVOKE_HTTP": "false",
    # 2600 images, each with a volume and a snapshot, in each account and region; no instance runs
    "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
}

for _name in [_name for _name in os.environ if _name.startswith("MOTO_")]:
    del os.environ[_name]
os.environ.update(SETTINGS)
