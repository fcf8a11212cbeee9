"""The prompt_toolkit REPL, and the session that it shares with the TUI."""
