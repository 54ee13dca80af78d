"""Pure table engine: files in, one Parquet file out, and queries over it."""
