"""Random northbounds and random edits, given to two control planes: ours and the reference's.

What the two write into their southbounds has to mean the same after each step, and ours has to be what
it would write from scratch.
"""
