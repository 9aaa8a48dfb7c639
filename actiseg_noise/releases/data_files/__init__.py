"""The data of a release: archives and Parquet files."""
