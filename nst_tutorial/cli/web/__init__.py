"""The studio's server: Voilà for one notebook, and the door before it. No torch is loaded here."""
