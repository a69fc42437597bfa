"""Endpoints that `up`, Prosody's and ejabberd's mod_unified_push issued: one file per format."""
