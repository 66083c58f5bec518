"""Take back what was published: `python -m dcor_runtime.withdraw private|deleted|purged|dry-run ID`. Prints JSON.

ID is a dataset's id or name, or a resource's id. CKAN's own actions make the changes. A dataset is made private by one
that validates nothing, so that this works with each dataset, also with one that only an older CKAN has accepted.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from typing import Any

import requests
from ckan import logic, model
from ckan.common import config
from dcor_runtime import application, object_tags, own_store, publication, resources
from dcor_runtime.resources import Access, File

#: for one request to the store
TIMEOUT_SECONDS = 30
DRY_RUN, PRIVATE, DELETED, PURGED = "dry-run", "private", "deleted", "purged"


@dataclass(frozen=True)
class Target:
    """What is taken back: a dataset with all its resources, or one resource of it."""

    dataset: str
    name: str
    circle: str | None
    resource: str | None
    files: list[File]

    def objects(self) -> list[tuple[str, str]]:
        """Return bucket and key of each object that exists."""
        return [it for file in self.files for it in file.objects() if object_tags.of(*it) is not None]


def find(identity: str) -> Target | None:
    """Return what has this id or name, in any state; None if nothing has."""
    resource = None
    dataset = model.Package.get(identity)
    if dataset is None:
        resource = model.Session.get(model.Resource, identity)
        dataset = resource and model.Package.get(resource.package_id)
    if dataset is None:
        return None
    files = resources.of_datasets([dataset.id]) if resource is None else [resources.of_resource(identity)]
    return Target(dataset.id, dataset.name, dataset.owner_org, resource and resource.id, files)


def run(mode: str, identity: str) -> dict[str, Any]:
    """Take it back, and ask the store for each object as a stranger does.

    Raises one of STORE_ERRORS, and OfAnotherDatabase before the first change.
    """
    if mode != DRY_RUN:
        own_store.require()
    target = find(identity)
    if target is None:
        return {"found": False}
    objects, before = target.objects(), _state(target)
    if mode != DRY_RUN:
        _change(target, mode)
        for file in target.files:
            publication.settle(file.id, file.objects())
    removed = sum(map(_remove, objects if mode == PURGED else ()))
    readable = [address for address in map(_address, objects) if _is_readable(address)]
    about = {"found": True, "dataset": target.name, "resource": target.resource, "was": before, "is": _state(target)}
    return {**about, "objects": len(objects), "removed": removed, "readable": readable}


def _state(target: Target) -> str:
    """Return the state of the dataset, or of the resource if it is not deleted with its dataset."""
    found = model.Session.query(model.Package.state, model.Package.private).filter_by(id=target.dataset).first()
    if found is None:
        return PURGED
    resource = model.Session.query(model.Resource.state).filter_by(id=target.resource).first()
    if resource is not None and resource.state == DELETED:
        return DELETED
    state, private = found
    return (PRIVATE if private else Access.PUBLIC.value) if state == "active" else str(state)


def _change(target: Target, mode: str) -> None:
    state = _state(target)
    if target.resource:
        if state != DELETED:
            _act("resource_delete", id=target.resource)
    elif mode == PRIVATE:
        if state != DELETED:
            _act("bulk_update_private", datasets=[target.dataset], org_id=target.circle)
    else:
        if state != DELETED:
            _act("package_delete", id=target.dataset)
        if mode == PURGED:
            _act("dataset_purge", id=target.dataset)


def _act(action: str, **data: Any) -> None:
    user = logic.get_action("get_site_user")({"ignore_auth": True}, {})["name"]
    logic.get_action(action)({"ignore_auth": True, "user": user}, data)


def _remove(it: tuple[str, str]) -> bool:
    bucket, key = it
    object_tags.client().delete_object(Bucket=bucket, Key=key)
    return True


def _address(it: tuple[str, str]) -> str:
    return "/".join((str(config["dcor_object_store.endpoint_url"]), *it))


def _is_readable(address: str) -> bool:
    """Return whether a stranger can read an object. What the store refuses for another reason raises an error."""
    status: int = requests.head(address, timeout=TIMEOUT_SECONDS).status_code
    if status not in (200, 403, 404):
        raise RuntimeError(f"{address} answers {status}, so nobody knows whether it can be read.")
    return status == 200


def main(mode: str, identity: str) -> None:
    """Print the result; also the reason if CKAN's validation does not let a resource be deleted."""
    app = application.load()._wsgi_app  # noqa: SLF001 (as CKAN's own commands do)
    with own_store.refusal_as_message(), app.test_request_context():
        try:
            result = run(mode, identity)
        except logic.ValidationError as error:
            result = {"found": True, "invalid": str(error.error_summary)}
    print(json.dumps(result))


if __name__ == "__main__":
    main(*sys.argv[1:])
