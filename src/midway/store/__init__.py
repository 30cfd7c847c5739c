"""The store keeps results: folders of files under keys, believed only when they verify.

1. An artefact is a folder ``artefacts/<stage>/<key>/``; its ``manifest.json`` is written last.
2. A manifest present means a complete result; it records the size and SHA-256 of every file.
3. Leases keep two runs from doing the same work; they are advisory, the first rename wins.
"""
