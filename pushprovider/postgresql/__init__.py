"""PostgreSQL's part: the doorbell, the standby's lock, time limits."""
