"""How the screen reaches a terminal: little is sent, nothing is asked, and everything is put back."""
