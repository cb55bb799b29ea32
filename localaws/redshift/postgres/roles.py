"""The engine's own PostgreSQL roles, and the options with which their sessions are opened.

rdsdb ──────────── PostgreSQL's superuser. Only the server uses it: to create, change and upgrade a cluster.
rdsdb_auth ─────── used by the front, in `postgres`: reads the password hash of a user who logs in
rdsdb_users ────── used by the front, in `postgres`: creates the user that temporary credentials ask for
rdsdb_history ──── used by COPY: writes the load history in the user's database
rdsdb_owner ────── can't log in: owns `pg_internal` and the views and SECURITY DEFINER functions over it
rdsdb_grants ───── can't log in, a superuser: owns a function in `postgres` that lets rdsdb_history into a database

`compat/server.sql` creates them and grants them their privileges. No user can have one of their names.
"""

from __future__ import annotations

SUPERUSER = "rdsdb"  # the name of Redshift's own internal superuser
AUTHENTICATION = "rdsdb_auth"
USERS = "rdsdb_users"
HISTORY = "rdsdb_history"
OWNER = "rdsdb_owner"
GRANTS = "rdsdb_grants"
INTERNAL = frozenset({SUPERUSER, AUTHENTICATION, USERS, HISTORY, OWNER, GRANTS})

DATABASE = "postgres"  # for the engine only: users can't connect to it

# The owner of a database, and a role, can set defaults for sessions. They must not affect ours, so each connection
# sets these options, which win.
_SETTINGS = {
    "search_path": "pg_catalog,pg_temp",  # pg_temp is last, as it would be searched first if it were not named
    "role": "none",
    "createrole_self_grant": "",  # the creator of a role does not become a member of it
    "default_transaction_isolation": "read\\ committed",
    "default_transaction_read_only": "off",
    "statement_timeout": "0",
    "lock_timeout": "0",
    "transaction_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "standard_conforming_strings": "on",
    "client_min_messages": "warning",
}
OPTIONS = " ".join(f"-c {name}={value}" for name, value in _SETTINGS.items())
