"""A shop's site on Flask: who is logged in at the shop asks the helpdesk, and sees their own tickets."""

import os
import secrets

from flask import Flask, redirect, render_template_string, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash
from werkzeug.wrappers import Response

from deskbell import Actor, get_tickets_with_details
from deskbell.integrations.flask import Deskbell
from deskbell.integrations.people import current_user
from deskbell.tickets.actions import open_ticket
from deskbell.tickets.bodies import body_of
from deskbell.tickets.labels import tag

CUSTOMERS = {"anna@shop.example": generate_password_hash("anna"), "bert@shop.example": generate_password_hash("bert")}
"""The shop's own accounts. It knows that these addresses are theirs."""

PAGE = """<!doctype html>
<title>Your questions</title>
<h1>Your questions</h1>
<ul>
{% for ticket in tickets %}<li>{{ ticket.ticket_number }}: {{ ticket.title }} ({{ ticket.status }})</li>
{% endfor %}</ul>
<form method="post">
<textarea name="message" required></textarea>
<input name="tag" placeholder="Tag (for the desk)">
<button>Ask</button>
</form>
"""
LOGIN = """<!doctype html>
<title>Log in</title>
<form method="post">
<input name="email" type="email" required> <input name="password" type="password" required> <button>Log in</button>
</form>
"""

app = Flask(__name__)
app.config["SECRET_KEY"] = os.environ.get("SHOP_SECRET_KEY") or secrets.token_hex()
app.config["SESSION_COOKIE_SAMESITE"] = "Lax"  # forms of other sites come without the cookie


def signed_in() -> Actor | None:
    """Return whoever is logged in at the shop, as the helpdesk knows them: a new customer where it does not yet."""
    email = session.get("email")
    return helpdesk.actor_for(email, create=True) if email else None


helpdesk = Deskbell(app, actor_loader=signed_in, upgrade=True)
helpdesk.mount(app, "/helpdesk")


@app.get("/tickets")
def show_tickets() -> str:
    """List the tickets that whoever asks may see."""
    return render_template_string(PAGE, tickets=get_tickets_with_details(helpdesk.session, limit=50))


@app.post("/tickets")
def ask() -> Response:
    """Open a ticket. It is committed before the answer is sent, and not at all where anything is refused."""
    requester = current_user(helpdesk.session)
    ticket = open_ticket(helpdesk.session, body=body_of(request.form["message"]), requester=requester)
    if request.form.get("tag"):  # a customer may not use tags: then no ticket is opened either
        tag(helpdesk.session, ticket.ticket_number, request.form["tag"])
    return redirect(url_for("show_tickets"), 303)


@app.get("/login")
def show_login() -> str:
    """Ask who somebody is."""
    return LOGIN


@app.post("/login")
def log_in() -> Response | tuple[str, int]:
    """Log in at the shop."""
    known = CUSTOMERS.get(request.form["email"])
    if known is None or not check_password_hash(known, request.form["password"]):
        return LOGIN, 401
    session["email"] = request.form["email"]
    return redirect(url_for("show_tickets"), 303)
