"""The states of keys and alarms: moto keeps a state, and ours acts on the state as AWS does."""

from __future__ import annotations

from typing import Any

from labs_helpers.sandbox.moto import alarms, patches


def unusable(key: Any) -> tuple[str, str] | None:
    """The code and the words of KMS for a key of moto's that is not enabled; None for another.

    https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html
    """
    if key.key_state == "Enabled":
        return None
    if key.key_state == "PendingDeletion":
        return "KMSInvalidStateException", f"{key.arn} is pending deletion."
    return "DisabledException", f"{key.arn} is disabled."


def install(service: str) -> None:
    """Put ours onto the classes of a service that is called; any other service stays as moto's."""
    if service == "kms":
        _of_kms()
    if service == "monitoring":
        _of_cloudwatch()


def _of_kms() -> None:
    from moto.core.exceptions import JsonRESTError

    def refuse(found: tuple[str, str] | None) -> None:
        if found:
            raise JsonRESTError(*found)

    def encrypt(backend: Any, key_id: str, *rest: Any, **named: Any) -> Any:
        key = backend.keys.get(backend.any_id_to_key_id(key_id))
        refuse(unusable(key) if key else None)
        return own_encrypt(backend, key_id, *rest, **named)

    def decrypt(backend: Any, *rest: Any, **named: Any) -> Any:
        plaintext, arn = own_decrypt(backend, *rest, **named)
        refuse(unusable(backend.keys[backend.get_key_id(arn)]))
        return plaintext, arn

    def unless_pending(own: Any) -> Any:
        def change(backend: Any, key_id: str) -> None:
            key = backend.keys[backend.get_key_id(key_id)]
            refuse(unusable(key) if key.key_state == "PendingDeletion" else None)
            own(backend, key.id)

        return change

    def schedule(backend: Any, key_id: str, days: int) -> Any:
        key = backend.keys[backend.get_key_id(key_id)]
        refuse(unusable(key) if key.key_state == "PendingDeletion" else None)
        if not 7 <= days <= 30:
            refuse(("ValidationException", "PendingWindowInDays must be between 7 and 30."))
        return own_schedule(backend, key.id, days)

    def cancel(backend: Any, key_id: str) -> None:
        key = backend.keys[backend.get_key_id(key_id)]
        if key.key_state != "PendingDeletion":
            refuse(("KMSInvalidStateException", f"{key.arn} is not pending deletion."))
        own_cancel(backend, key.id)

    def default_policy(name: str | None) -> None:
        if name is not None:
            own_default_policy(name)

    own_encrypt = patches.put(f"{_KMS}.encrypt", encrypt)
    own_decrypt = patches.put(f"{_KMS}.decrypt", decrypt)
    for change in ("enable_key", "disable_key"):
        own = patches.put(f"{_KMS}.{change}", None)
        patches.put(f"{_KMS}.{change}", unless_pending(own))
    own_schedule = patches.put(f"{_KMS}.schedule_key_deletion", schedule)
    own_cancel = patches.put(f"{_KMS}.cancel_key_deletion", cancel)
    own_default_policy = patches.put("moto.kms.responses:_assert_default_policy", default_policy)
    patches.put("moto.kms.responses:validate_policy", lambda key, action: None)


def _of_cloudwatch() -> None:
    def initialise(alarm: Any, *arguments: Any, **named: Any) -> None:
        """https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricAlarm.html"""
        own(alarm, *arguments, **named)
        alarm.state_value = "INSUFFICIENT_DATA"

    own = patches.put("moto.cloudwatch.models:Alarm.__init__", initialise)

    def put(backend: Any, namespace: str, metric_data: Any) -> None:
        own_put(backend, namespace, metric_data)
        alarms.judge(backend, namespace, {each["MetricName"] for each in metric_data})

    own_put = patches.put("moto.cloudwatch.models:CloudWatchBackend.put_metric_data", put)


_KMS = "moto.kms.models:KmsBackend"
