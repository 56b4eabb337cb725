"""What people run who work on Deskbell: the installer, the checks behind `make test`, the own lint rules."""
