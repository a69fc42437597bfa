"""Databases of earlier releases, as SQL dumps with data in them: they must migrate and deliver."""
