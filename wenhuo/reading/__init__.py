"""Reading labelled text: any source, format and encoding, row by row, into one corpus; nothing is dropped silently.

- ``options`` says what is read; ``sources`` says which version each source is now and reads it: ``local``, ``remote``
  (fsspec), ``hub``, ``sample``;
- ``packing`` and ``archives`` unpack what is packed; ``formats`` reads one file as a stream of ``records.Chunk``:
  ``delimited``, ``jsonrecords``, ``arrowrecords``, ``workbook``, and ``annotations`` for exports of annotation tools;
- ``charset`` and ``lines`` turn bytes into numbered lines, ``columns`` and ``labels`` find and name what is in them;
- ``corpus`` gives each row its stable id and writes the Parquet files; ``ingest`` does so for all files, ``account``
  counts, ``changes`` compares with the last version by ``narrow`` columns.
"""
