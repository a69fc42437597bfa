"""`manage.py doctor`: checks from the operator's chair, one family a file.

A family is a function that returns what it found, each finding with a code and a remedy
(remedies.py). Nothing here runs inside a page view: these checks open connections and wait.
"""
