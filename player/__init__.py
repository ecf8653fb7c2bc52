"""The web player: static files, served as they are by http_service/routes/player.py; no build step."""
