"""Commands of ``wenhuo`` with modules of their own; :mod:`wenhuo.cli` registers them."""
