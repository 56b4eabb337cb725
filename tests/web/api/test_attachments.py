"""Files over HTTP."""

import hashlib
from pathlib import Path

import httpx
import pytest

from deskbell.accounts.models import Role
from deskbell.kernel.keyring import KeyRing
from deskbell.kernel.local_storage import LocalStorage
from deskbell.kernel.storage import SHELVES
from tests.web.api.conftest import Desk

pytestmark = pytest.mark.anyio
PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89"


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
async def url(desk: Desk) -> str:
    ticket = await desk.make(lambda f: f.ticket())
    return f"/api/v1/tickets/{ticket.ticket_number}"


async def test_a_file_comes_back_as_it_went_in(agent: httpx.AsyncClient, url: str) -> None:
    content = PNG + bytes(range(256)) * 4000
    sent = await agent.post(f"{url}/attachments", files={"file": ("Bild – 1.png", content, "text/html")})
    assert sent.status_code == 201, sent.text
    about = sent.json()
    assert (about["media_type"], about["size"]) == ("image/png", len(content))
    assert about["sha256"] == hashlib.sha256(content).hexdigest()
    assert (await agent.get(sent.headers["Location"])).json() == about
    got = await agent.get(about["content"])
    assert got.content == content
    assert got.headers["Content-Type"] == "image/png"
    assert got.headers["X-Content-Type-Options"] == "nosniff"
    assert got.headers["Content-Disposition"] == (
        "inline; filename=\"Bild _ 1.png\"; filename*=UTF-8''Bild%20%E2%80%93%201.png"
    )
    known = await agent.get(about["content"], headers={"If-None-Match": got.headers["ETag"]})
    assert (known.status_code, known.content) == (304, b"")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.txt", b"<html><script>alert(1)</script>"),
        ("drawing.png", b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>"),
        ("program.txt", b"MZ\x00\x00\x01"),
    ],
)
async def test_what_could_run_is_only_ever_downloaded(
    agent: httpx.AsyncClient, url: str, name: str, content: bytes
) -> None:
    sent = await agent.post(f"{url}/attachments", files={"file": (name, content, "image/png")})
    got = await agent.get(sent.json()["content"])
    assert got.headers["Content-Disposition"].startswith("attachment;")


@pytest.mark.parametrize(
    "name", ["", 'a"b.txt', "../../etc/passwd", "a\r\nb.txt", "x" * 300 + ".txt", "\ud83d\ude00.txt"]
)
async def test_any_name_can_be_downloaded(agent: httpx.AsyncClient, url: str, name: str) -> None:
    boundary = "b0undary"
    disposition = f'form-data; name="file"; filename="{name}"'.encode(errors="surrogatepass").replace(
        b"\r\n", b"%0D%0A"
    )
    body = b"--b0undary\r\nContent-Disposition: " + disposition + b"\r\n\r\nhello\r\n--b0undary--\r\n"
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    sent = await agent.post(f"{url}/attachments", content=body, headers=headers)
    if sent.status_code == 422:  # a file without a name is a field
        assert name == ""
        return
    assert sent.status_code == 201, sent.text
    got = await agent.get(sent.json()["content"])
    assert got.content == b"hello"
    assert "\n" not in got.headers["Content-Disposition"]


async def test_a_file_that_is_too_large_is_refused_and_not_kept(
    agent: httpx.AsyncClient, url: str, tmp_path: Path
) -> None:
    largest = 25 * 1024 * 1024
    for size in (largest + 1, largest + 2 * 1024 * 1024):
        refused = await agent.post(f"{url}/attachments", files={"file": ("a.bin", bytes(size))})
        assert (refused.status_code, refused.json()["code"]) == (413, "too_large")
    assert files_in(tmp_path) == []


async def test_a_file_of_a_comment_hangs_on_the_comment(agent: httpx.AsyncClient, url: str) -> None:
    comment = (await agent.post(f"{url}/comments", json={"content": "See the file"})).json()
    sent = await agent.post(f"{url}/comments/{comment['id']}/attachments", files={"file": ("a.txt", b"a")})
    assert sent.status_code == 201, sent.text
    ticket = (await agent.get(url)).json()
    assert ticket["attachments"] == []
    assert ticket["comments"][0]["attachments"] == [sent.json()]
    other = await agent.post(f"{url}/comments/999999/attachments", files={"file": ("a.txt", b"a")})
    assert (other.status_code, other.json()["field"]) == (422, "comment_id")


async def test_files_of_notes_and_of_strangers_are_not_there(desk: Desk, agent: httpx.AsyncClient) -> None:
    owner = await desk.make(lambda f: f.user())
    ticket = await desk.make(lambda f: f.ticket(owner))
    url = f"/api/v1/tickets/{ticket.ticket_number}"
    note = (await agent.post(f"{url}/comments", json={"content": "x", "is_internal": True})).json()
    secret = await agent.post(f"{url}/comments/{note['id']}/attachments", files={"file": ("a.txt", b"a")})
    public = await agent.post(f"{url}/attachments", files={"file": ("b.txt", b"b")})
    customer, stranger = await desk.as_(owner), await desk.as_role(Role.CUSTOMER)
    for client, file, status in ((customer, secret, 404), (customer, public, 200), (stranger, public, 404)):
        assert (await client.get(file.headers["Location"])).status_code == status
        assert (await client.get(file.json()["content"])).status_code == status


async def test_a_file_that_the_storage_lost_is_404(agent: httpx.AsyncClient, url: str, tmp_path: Path) -> None:
    sent = (await agent.post(f"{url}/attachments", files={"file": ("a.txt", b"a")})).json()
    for path in files_in(tmp_path):
        path.unlink()
    gone = await agent.get(sent["content"])
    assert gone.status_code == 404
    assert str(tmp_path) not in gone.text


async def test_a_form_without_a_file_is_refused(agent: httpx.AsyncClient, url: str) -> None:
    assert (await agent.post(f"{url}/attachments", data={"file": "text"})).status_code == 422
    assert (await agent.post(f"{url}/attachments", json={})).status_code == 422
    headers = {"Content-Type": "multipart/form-data"}
    assert (await agent.post(f"{url}/attachments", content=b"x", headers=headers)).status_code == 400


async def test_customers_put_no_files_into_the_mouth_of_an_agent(desk: Desk, tmp_path: Path) -> None:
    owner, agent = await desk.make(lambda f: (f.user(), f.user(Role.AGENT)))
    ticket = await desk.make(lambda f: f.ticket(owner))
    reply, own = await desk.make(lambda f: (f.comment(ticket, agent), f.comment(ticket, owner)))
    customer, url = await desk.as_(owner), f"/api/v1/tickets/{ticket.ticket_number}"
    file = {"file": ("invoice.pdf", b"%PDF-")}
    refused = await customer.post(f"{url}/comments/{reply.id}/attachments", files=file)
    assert (refused.status_code, files_in(tmp_path)) == (403, [])
    for place in (f"{url}/comments/{own.id}", url):
        assert (await customer.post(f"{place}/attachments", files=file)).status_code == 201


async def test_a_refused_file_does_not_fill_the_disk(agent: httpx.AsyncClient, url: str, tmp_path: Path) -> None:
    file = {"file": ("a.txt", b"refused")}
    for place in ("/api/v1/tickets/DB-999999", f"{url}/comments/999999"):
        assert (await agent.post(f"{place}/attachments", files=file)).status_code in {404, 422}
    assert files_in(tmp_path) == []


async def test_an_attachment_whose_key_is_not_at_hand_is_unavailable_and_says_why(
    agent: httpx.AsyncClient, url: str, tmp_path: Path
) -> None:
    sent = (await agent.post(f"{url}/attachments", files={"file": ("a.txt", b"a")})).json()
    storage = LocalStorage(tmp_path / "attachments", KeyRing.configured(b"another master key" * 2), seal=True)
    [piece] = [piece for number in range(SHELVES) for piece in storage.shelf(number)]
    assert storage.settle(piece, sealed=True)
    locked = await agent.get(sent["content"])
    assert (locked.status_code, locked.json()["code"]) == (503, "unavailable")
    assert "DESKBELL_ENCRYPTION_KEYS" in locked.json()["detail"]
    assert str(tmp_path) not in locked.text
