"""Where everybody belongs: the desk at `/tickets`, customers at `/requests`. Who knocks elsewhere is led over."""

from typing import Final
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import RedirectResponse
from starlette.exceptions import HTTPException

from deskbell.accounts.models import Role
from deskbell.web.csrf import SAFE_METHODS
from deskbell.web.dependencies import Me

router = APIRouter(include_in_schema=False)

DESK: Final = "/tickets"
PORTAL: Final = "/requests"


@router.get("/")
async def show_start(me: Me) -> Response:
    """Lead everybody to where they begin."""
    return RedirectResponse(PORTAL if me.role is Role.CUSTOMER else DESK, status_code=303)


async def lead_customers_over(request: Request, me: Me) -> None:
    """Lead a customer who asks for a page of the desk to the same request, or to all of theirs."""
    if me.role is Role.CUSTOMER:
        lead(request, PORTAL)


async def lead_staff_over(request: Request, me: Me) -> None:
    """Lead somebody of the desk who asks for a page of customers to the same ticket, or to the list."""
    if me.role is not Role.CUSTOMER:
        lead(request, DESK)


def lead(request: Request, door: str) -> None:
    """Go to the same ticket behind another door. What would change something is not there for the one who asks."""
    if request.method not in SAFE_METHODS:
        raise HTTPException(404)
    number = request.path_params.get("number")
    target = f"{door}/{quote(number, safe='')}" if number else door
    raise HTTPException(303, headers={"Location": target})


STAFF_PAGE: Final = Depends(lead_customers_over, scope="function")
CUSTOMERS_PAGE: Final = Depends(lead_staff_over, scope="function")
