"""The HTTP leg: what application servers, browsers and operators reach."""
