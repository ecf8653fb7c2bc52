"""The program itself. Ground: errors, settings, telemetry. Roof: wiring, cli, supervisor."""
