"""Settings of the shop."""

import os
import secrets
from pathlib import Path

FOLDER = Path(__file__).parent

DEBUG = False
ALLOWED_HOSTS = ["127.0.0.1", "localhost"]
SECRET_KEY = os.environ.get("SHOP_SECRET_KEY") or secrets.token_hex()
ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": os.environ.get("SHOP_DATABASE", FOLDER / "shop.sqlite3"),
    }
}
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [FOLDER / "templates"]}]
LOGIN_URL = "/login"
LOGIN_REDIRECT_URL = "/tickets"

INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions"]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "deskbell.integrations.django.DeskbellMiddleware",
]

DESKBELL = {
    "UPGRADE": True,
    "UNKNOWN_USERS": "create",
    "ROLES": {"user": "customer", "staff": "agent"},
}
