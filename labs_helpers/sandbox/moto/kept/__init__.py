"""What moto's services hold, on disk: each acknowledged change outlives `kill -9`.

`state.py` is the face. A request that may change something ends with one transaction of what the
request touched (`tracking.py` says what that is, `graph.py` turns objects into bytes and back,
`rows.py` holds them); bodies of Amazon S3 are files (`bodies.py`). What is on disk is read when a
service is first used. `classes.py` is the table of moto's classes that this depends on.
"""
