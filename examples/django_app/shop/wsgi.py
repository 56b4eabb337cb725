"""The shop for WSGI servers, with the helpdesk's API beneath /helpdesk."""

import os

from django.core.wsgi import get_wsgi_application

from deskbell.integrations.django import mount_wsgi

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.settings")
application = mount_wsgi(get_wsgi_application(), "/helpdesk")
