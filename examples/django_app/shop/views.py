"""Pages of the shop."""

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_http_methods, require_safe

from deskbell import get_tickets_with_details
from deskbell.integrations.people import current_user
from deskbell.tickets.actions import open_ticket
from deskbell.tickets.bodies import body_of
from deskbell.tickets.labels import tag


@login_required
@require_http_methods(["GET", "POST"])
def tickets(request: HttpRequest) -> HttpResponse:
    """List the tickets that whoever asks may see, or open one."""
    if request.method == "POST":
        return ask(request)
    return render(request, "tickets.html", {"tickets": get_tickets_with_details(request.deskbell.session, limit=50)})


def ask(request: HttpRequest) -> HttpResponse:
    """Open a ticket. It is committed before the answer is sent, and not at all where anything is refused."""
    session = request.deskbell.session
    ticket = open_ticket(session, body=body_of(request.POST["message"]), requester=current_user(session))
    if request.POST.get("tag"):  # a customer may not use tags: then no ticket is opened either
        tag(session, ticket.ticket_number, request.POST["tag"])
    return HttpResponseRedirect("/tickets")


@require_safe
async def async_tickets(request: HttpRequest) -> HttpResponse:
    """Do the same as the list above, in an asynchronous view."""
    found = await request.deskbell.run_sync(get_tickets_with_details, limit=50)
    return JsonResponse({"tickets": [{"number": ticket.ticket_number, "title": ticket.title} for ticket in found]})
