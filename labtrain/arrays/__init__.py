"""Device roles and their runtimes: what training and protocols ask of devices.

Roles are abstract (:mod:`.neurons`); runtimes are final: simulated, wired to instruments,
recorded (a wrapper) and replayed.
"""
