"""Pure functions over stored tables: risk, column roles, release recipes.

Every function works on a Parquet file and the names of its columns, without a server, a database
or a configuration.
"""
