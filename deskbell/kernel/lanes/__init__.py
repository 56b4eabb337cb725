"""Short transactions in the fewest round trips, beside SQLAlchemy's engines: connections on libpq's pipeline mode.

A `line` is one connection, a `lane` keeps some of them and says who asks on which. `reading` is what a page needs of a
transaction, `lane_reading` one on a lane; `pipelining` is a session that writes on one. What they run are `statements`,
compiled once, and what comes back are `answers`.
"""
