"""The configuration of up, Prosody's and ejabberd's mod_unified_push as settings of this server.

Pure: files are read, nothing is written, nothing in them is run. `manage.py migrate_config`.
"""
