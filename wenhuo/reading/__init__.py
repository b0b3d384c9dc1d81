"""Reading labelled text: any source, format and encoding, row by row, into one corpus; nothing is dropped silently.

- ``sources`` says which version a source is now and reads it: ``local``, ``remote`` (fsspec), ``hub``, ``sample``;
- ``formats`` reads one file as a stream of ``records.Chunk``: ``delimited``, ``jsonrecords``, ``arrowrecords``;
- ``charset`` and ``lines`` turn bytes into numbered lines, ``columns`` and ``labels`` find and name what is in them;
- ``corpus`` gives each row its stable id and writes the Parquet files; ``ingest`` does so for all files and counts.
"""
