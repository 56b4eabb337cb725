"""Addresses of the shop."""

from django.contrib.auth.views import LoginView
from django.urls import path

from . import views

urlpatterns = [
    path("login", LoginView.as_view(template_name="login.html")),
    path("tickets", views.tickets),
    path("async/tickets", views.async_tickets),
]
