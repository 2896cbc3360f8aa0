"""Speaks WebSocket and carries events from the store to whoever listens."""
