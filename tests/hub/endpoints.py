"""The endpoints: methods by the pattern of their request. What they return is sent as JSON."""

from __future__ import annotations

import base64
import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from tests.hub.repo import NOW, Blob, Repo

if TYPE_CHECKING:
    from tests.hub.server import LoopbackHub

API = r"/api/(models|datasets|spaces)/([^/]+/[^/]+)"
ROUTES = {
    r"GET /api/whoami-v2": "whoami",
    r"POST /api/validate-yaml": "validate_yaml",
    r"POST /api/repos/create": "create_repo",
    rf"GET {API}(?:/revision/(.+))?": "info",
    rf"POST {API}/preupload/(.+)": "preupload",
    rf"POST {API}/commit/(.+)": "commit",
    rf"POST {API}/paths-info/(.+)": "paths_info",
    rf"GET {API}/tree/(refs%2F[^/]+|[^/]+)(?:/(.+))?": "tree",
    rf"GET {API}/discussions": "discussions",
    rf"POST {API}/discussions/(\d+)/comment": "comment",
    rf"GET {API}/commits/(.+)": "commits",
    r"GET /api/spaces/([^/]+/[^/]+)/variables": "variables",
    r"POST /api/spaces/([^/]+/[^/]+)/variables": "set_variable",
    r"POST /(?:(datasets|spaces)/)?([^/]+/[^/]+)\.git/info/lfs/objects/batch": "lfs_batch",
    r"PUT /lfs/(\w+)": "lfs_put",
    r"POST /lfs-verify": "lfs_verify",
    r"(?:GET|HEAD) /(?:(datasets|spaces)/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)": "resolve",
}


class Refused(Exception):
    def __init__(self, status: int, code: str = "", message: str = "", **body: Any) -> None:
        self.status, self.body = status, {"error": message or code, **body}
        self.headers = {"X-Error-Code": code} if code else {}
        if message:
            self.headers["X-Error-Message"] = message


class Endpoints:
    """Mixed into the request handler, which has `hub`, `query`, `content`, `headers`, `answer`."""

    hub: LoopbackHub
    query: dict[str, str]
    content: bytes
    headers: Any
    answer: Any

    # --- who and what -----------------------------------------------------------------------

    def user(self, write: bool = False) -> str:
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != self.hub.token and token not in self.hub.readers:
            raise Refused(401, message="Invalid credentials in Authorization header")
        if write and token in self.hub.readers:
            raise Refused(403, message="Forbidden: the token cannot write")
        return self.hub.user

    def repo(self, kind: str | None, name: str) -> Repo:
        found = self.hub.repos.get((kind or "models", name))
        if found is None:
            raise Refused(404, "RepoNotFound", "Repository not found")
        return found

    def files(self, repo: Repo, ref: str | None) -> dict[str, Blob]:
        if (ref or "main") not in repo.refs:
            raise Refused(404, "RevisionNotFound", f"Invalid rev id: {ref}")
        return repo.refs[ref or "main"].files

    # --- endpoints --------------------------------------------------------------------------

    def whoami(self) -> Any:
        return {"type": "user", "name": self.user(), "orgs": [], "auth": {"type": "access_token"}}

    def validate_yaml(self) -> Any:
        return {"errors": [], "warnings": []}

    def create_repo(self) -> Any:
        asked = json.loads(self.content)
        name = f"{asked.get('organization') or self.user(write=True)}/{asked['name']}"
        kind = f"{asked.get('type') or 'model'}s"
        prefix = "" if kind == "models" else f"{kind}/"
        url = f"{self.hub.url}/{prefix}{name}"
        if (kind, name) in self.hub.repos:
            raise Refused(409, message="You already created this repo", url=url)
        if kind == "spaces" and not asked.get("sdk"):
            raise Refused(400, message="A Space needs an SDK")
        self.hub.create(kind, name).sdk = asked.get("sdk")
        return {"url": url, "name": name, "id": name}

    def info(self, kind: str, name: str, ref: str | None) -> Any:
        repo = self.repo(kind, name)
        files = self.files(repo, ref)
        return {
            "id": name, "sha": repo.refs[ref or "main"].sha, "private": False, "gated": False,
            "disabled": False, "downloads": 0, "likes": 0, "tags": [], "lastModified": NOW,
            "createdAt": NOW, "siblings": [{"rfilename": path} for path in sorted(files)],
        }  # fmt: skip

    def preupload(self, kind: str, name: str, ref: str) -> Any:
        self.user(write=True)
        files = self.files(self.repo(kind, name), ref)
        found = []
        for file in json.loads(self.content)["files"]:
            path, old = file["path"], files.get(file["path"])
            mode = "lfs" if path.endswith(self.hub.large) else "regular"
            oid = None if old is None else old.sha256 if old.lfs else old.oid
            found.append({"path": path, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        return {"files": found}

    def commit(self, kind: str, name: str, ref: str) -> Any:
        user, repo = self.user(write=True), self.repo(kind, name)
        lines = [json.loads(line) for line in self.content.splitlines()]
        header = lines[0]["value"]
        request = "create_pr" in self.query
        parent = header.get("parentCommit")
        if parent and not request and not repo.refs[ref].sha.startswith(parent):
            raise Refused(412, message="A commit has happened since. Please refresh and try again.")
        files = dict(self.files(repo, parent if request and parent else ref))
        for line in lines[1:]:
            self._apply(line["key"], line["value"], files)
        found: dict[str, Any] = {}
        if request:
            opened = repo.open_request(files, header["summary"], user, parent or ref)
            ref = f"refs/pr/{opened.num}"
            prefix = "" if kind == "models" else f"{kind}/"
            url = f"{self.hub.url}/{prefix}{name}/discussions/{opened.num}"
            found["pullRequestUrl"] = url
        else:
            repo.store(ref, files, header["summary"])
        sha = repo.refs[ref].sha
        url = f"{self.hub.url}/{kind}/{name}/commit/{sha}"
        return found | {"success": True, "commitOid": sha, "commitUrl": url}

    def _apply(self, key: str, value: dict[str, Any], files: dict[str, Blob]) -> None:
        path = value["path"]
        if key == "file":
            files[path] = Blob(base64.b64decode(value["content"]))
        elif key == "lfsFile":
            if value["oid"] not in self.hub.objects:
                raise Refused(400, message=f"{path}: its content was not uploaded")
            files[path] = Blob(self.hub.objects[value["oid"]], lfs=True)
        elif key == "deletedFile":
            files.pop(path, None)
        elif key == "deletedFolder":
            for inside in [p for p in files if p.startswith(f"{path.rstrip('/')}/")]:
                del files[inside]
        else:
            raise Refused(400, message=f"unknown operation {key}")

    def paths_info(self, kind: str, name: str, ref: str) -> Any:
        files = self.files(self.repo(kind, name), ref)
        if self.headers.get("Content-Type", "").startswith("application/json"):
            asked = json.loads(self.content)["paths"]
        else:
            asked = parse_qs(self.content.decode())["paths"]
        return [files[path].describe(path) for path in asked if path in files]

    def tree(self, kind: str, name: str, ref: str, folder: str | None) -> Any:
        repo = self.repo(kind, name)
        files, base = self.files(repo, ref), f"{folder}/" if folder else ""
        deep = self.query.get("recursive", "").lower() == "true"
        everything = [files[path].describe(path) for path in sorted(files)]
        for path in repo.folders(ref):
            everything.append({"type": "directory", "path": path, "size": 0, "oid": "0" * 40})
        found = [e for e in everything if e["path"].startswith(base)]
        found = [e for e in found if deep or "/" not in e["path"].removeprefix(base)]
        if not found and folder:
            raise Refused(404, "EntryNotFound", f"{folder} does not exist")
        return found

    def discussions(self, kind: str, name: str) -> Any:
        repo = self.repo(kind, name)
        status, author = self.query.get("status", "all"), self.query.get("author")
        found = [
            {
                "title": request.title, "num": request.num, "author": {"name": request.author},
                "createdAt": NOW, "status": request.status, "isPullRequest": True,
                "repo": {"name": name, "type": kind.removesuffix("s")},
            }
            for request in reversed(repo.requests)
            if status in ("all", request.status) and author in (None, request.author)
        ]  # fmt: skip
        return {"discussions": found, "count": len(found), "start": 0}

    def comment(self, kind: str, name: str, num: str) -> Any:
        repo, user = self.repo(kind, name), self.user(write=True)
        text = json.loads(self.content)["comment"]
        repo.requests[int(num) - 1].comments.append(text)
        data = {"edited": False, "hidden": False, "latest": {"raw": text}}
        author = {"name": user}
        return {"newMessage": {"id": "0", "type": "comment", "createdAt": NOW, "author": author,
                               "data": data}}  # fmt: skip

    def commits(self, kind: str, name: str, ref: str) -> Any:
        repo = self.repo(kind, name)
        self.files(repo, ref)
        return [
            {"id": c.sha, "title": c.title, "message": "", "date": NOW, "authors": []}
            for c in repo.refs[ref].history()
        ]

    def variables(self, name: str) -> Any:
        self.user(write=True)
        kept = self.repo("spaces", name).variables
        return {key: {"key": key, "value": value} for key, value in kept.items()}

    def set_variable(self, name: str) -> Any:
        self.user(write=True)
        asked = json.loads(self.content)
        self.repo("spaces", name).variables[asked["key"]] = asked["value"]
        return self.variables(name)

    def lfs_batch(self, kind: str | None, name: str) -> Any:
        self.user(write=True)
        self.repo(kind, name)
        found = []
        for wanted in json.loads(self.content)["objects"]:
            entry = {"oid": wanted["oid"], "size": wanted["size"]}
            if wanted["oid"] not in self.hub.objects:
                put = {"href": f"{self.hub.url}/lfs/{wanted['oid']}", "header": {}}
                verify = {"href": f"{self.hub.url}/lfs-verify"}
                entry["actions"] = {"upload": put, "verify": verify}
            found.append(entry)
        return {"transfer": "basic", "objects": found}

    def lfs_put(self, oid: str) -> Any:
        blob = Blob(self.content, lfs=True)
        if blob.sha256 != oid:
            raise Refused(400, message="the content is not that of the oid")
        self.hub.objects[oid] = self.content
        return {}

    def lfs_verify(self) -> Any:
        asked = json.loads(self.content)
        if len(self.hub.objects.get(asked["oid"], b"")) != asked["size"]:
            raise Refused(404, message="no such object")
        return {}

    def resolve(self, kind: str | None, name: str, ref: str, path: str) -> None:
        repo = self.repo(kind, name)
        blob = self.files(repo, ref).get(path)
        if blob is None:
            raise Refused(404, "EntryNotFound", f"{path} does not exist")
        etag = f'"{blob.sha256 if blob.lfs else blob.oid}"'
        headers = {"ETag": etag, "X-Repo-Commit": repo.refs[ref].sha, "Accept-Ranges": "bytes"}
        if self.headers.get("If-None-Match") == etag:
            return self.answer(b"", 304, headers)
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked is None:
            return self.answer(blob.content, 200, headers)
        first, last = int(asked[1]), int(asked[2] or len(blob.content) - 1)
        part = blob.content[first : last + 1]
        headers["Content-Range"] = f"bytes {first}-{first + len(part) - 1}/{len(blob.content)}"
        return self.answer(part, 206, headers)
