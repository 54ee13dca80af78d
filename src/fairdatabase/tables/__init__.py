"""Tables: a data file becomes one Parquet file, a column schema and answers to queries."""
