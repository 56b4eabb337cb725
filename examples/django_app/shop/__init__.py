"""A shop's site on Django: who is logged in at the shop asks the helpdesk, and sees their own tickets."""
