"""One format per file: a `Report` goes in, lines of text come out. Nothing here prints, reads options or changes a finding.

Each format has a function `render(report, view)`; what it shows is the report's, how it shows it is the `View`'s.
"""
