"""The loopback Hub answers the real client as a Hub does."""

import pytest
from huggingface_hub import CommitOperationAdd, CommitOperationDelete, HfApi
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)


def test_create_upload_request_merge_list_and_download(hub, tmp_path):
    api = HfApi(endpoint=hub.url, token=hub.token)
    for _ in range(2):
        api.create_repo("ada/table", repo_type="dataset", exist_ok=True)
    with pytest.raises(HfHubHTTPError, match="409"):
        api.create_repo("ada/table", repo_type="dataset")
    files = {"README.md": b"# table\n", "data/big.parquet": bytes(5000), "data/a b.json": b"{}"}
    operations = [CommitOperationAdd(path, content) for path, content in files.items()]
    commit = api.create_commit(
        "ada/table", operations, commit_message="all", repo_type="dataset", create_pr=True
    )
    assert commit.pr_num == 1
    assert api.list_repo_files("ada/table", repo_type="dataset") == []
    (request,) = api.get_repo_discussions("ada/table", repo_type="dataset")
    assert (request.title, request.status, request.author) == ("all", "open", "ada")

    hub.repos["datasets", "ada/table"].merge(1)
    assert set(api.list_repo_files("ada/table", repo_type="dataset")) == set(files)
    api.snapshot_download("ada/table", repo_type="dataset", local_dir=tmp_path)
    assert {path: (tmp_path / path).read_bytes() for path in files} == files
    before = len(hub.requests)
    path = api.hf_hub_download(
        "ada/table", "README.md", repo_type="dataset", cache_dir=tmp_path / "cache"
    )
    again = api.hf_hub_download(
        "ada/table", "README.md", repo_type="dataset", cache_dir=tmp_path / "cache"
    )
    assert path == again
    kinds = [request.split()[0] for request in hub.requests[before:]]
    assert kinds == ["HEAD", "GET", "HEAD"]  # the second time its ETag is enough

    api.create_commit(
        "ada/table", [CommitOperationDelete("data/")], commit_message="less", repo_type="dataset"
    )
    assert api.list_repo_files("ada/table", repo_type="dataset") == ["README.md"]


def test_errors_have_the_clients_own_types(hub, tmp_path):
    api = HfApi(endpoint=hub.url, token=hub.token)
    with pytest.raises(RepositoryNotFoundError):
        api.dataset_info("org/nothing")
    with pytest.raises(RevisionNotFoundError):
        api.dataset_info("org/results", revision="nowhere")
    with pytest.raises(EntryNotFoundError):
        api.hf_hub_download("org/results", "x", repo_type="dataset", cache_dir=tmp_path)
    with pytest.raises(HfHubHTTPError, match="Invalid user token"):
        HfApi(endpoint=hub.url, token="hf_wrong").whoami()
    old = api.dataset_info("org/results").sha
    api.upload_file(
        path_or_fileobj=b"1", path_in_repo="a", repo_id="org/results", repo_type="dataset"
    )
    with pytest.raises(HfHubHTTPError, match="412"):
        api.upload_file(
            path_or_fileobj=b"2",
            path_in_repo="a",
            repo_id="org/results",
            repo_type="dataset",
            parent_commit=old,
        )
