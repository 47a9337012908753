"""The leaderboard: a Space that shows results, and what puts it there."""
