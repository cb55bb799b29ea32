"""The roles of PostgreSQL that are this engine's own, and how sessions of theirs are opened.

rdsdb ──────────── PostgreSQL's superuser. Only the server logs in as it: it makes a cluster, changes it, upgrades it.
rdsdb_auth ─────── the front, in `postgres`: reads the password of a user who logs in
rdsdb_users ────── the front, in `postgres`: makes the user that temporary credentials ask for
rdsdb_history ──── COPY: writes the load history in the user's database
rdsdb_owner ────── can't log in: owns `pg_internal` and the views and SECURITY DEFINER functions over it
rdsdb_grants ───── can't log in, a superuser: owns a function in `postgres` that lets rdsdb_history into a database

`compat/server.sql` makes them and gives them their privileges. A user can be none of them.
"""

from __future__ import annotations

SUPERUSER = "rdsdb"  # the name of Redshift's own internal superuser
AUTHENTICATION = "rdsdb_auth"
USERS = "rdsdb_users"
HISTORY = "rdsdb_history"
OWNER = "rdsdb_owner"
GRANTS = "rdsdb_grants"
INTERNAL = frozenset({SUPERUSER, AUTHENTICATION, USERS, HISTORY, OWNER, GRANTS})

DATABASE = "postgres"  # of the engine alone: users can't connect to it

# What the owner of a database, or a role, sets for its sessions must not reach ours. Options of the connection win.
_SETTINGS = {
    "search_path": "pg_catalog,pg_temp",  # named last, pg_temp is not searched first
    "role": "none",
    "createrole_self_grant": "",  # who makes a role does not become a member of it
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
