"""What is configured: accounts, stores, merchants, gateways, order states, shipment methods.

Each file is one noun's SQL and the shapes in which the API takes it; the nouns themselves are in
`order.config`. `migrate` brings a database to the newest schema and makes the two roles that the
isolation of accounts rests on. Every change writes an audit entry in the same statement.
"""
