"""The figures. Each module has

OPTIONS                       names of the options that its results depend on
TITLE                         heading in the document
plan(options, program)        the jobs it needs, by a key of its own
evaluate(options, outcomes)   findings: plain data, all that the figure and the text are made of
draw(findings, path)          the figure
describe(findings)            the text, with tables of ours and theirs
"""
