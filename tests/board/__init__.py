"""The leaderboard: entries, table, page."""
