"""The shop for ASGI servers, with the helpdesk's API beneath /helpdesk."""

import os

from django.core.asgi import get_asgi_application

from deskbell.integrations.django import mount_asgi

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = mount_asgi(get_asgi_application(), "/helpdesk")
