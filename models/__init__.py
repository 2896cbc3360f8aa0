"""The domain: tables, rules and operations. Knows neither HTTP nor sockets nor asyncio."""
