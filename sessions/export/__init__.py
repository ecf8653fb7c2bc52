"""One replay as one file to attach to a ticket: json, text, html, mp4. Start at exporter.py."""

from sessions.export.exporter import FORMATS, Export, Exporter, filename_of

__all__ = ["FORMATS", "Export", "Exporter", "filename_of"]
