"""Repeats the experiments of Piccioli, Troiani, Zdeborova (arXiv 2306.02729) on a server.

Jobs are sent and read with posteriorctl, as a user would. scripts/reproduce.sh runs everything;
`python3 -m bench.reproduce` expects a running server in POSTERIORD_SERVER.
"""
