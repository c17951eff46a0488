"""Adapters: a real exchange through ccxt, and the paper venue. They never know each other."""
