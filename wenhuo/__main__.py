"""``python -m wenhuo`` is the command ``wenhuo``."""

from wenhuo.cli import main

if __name__ == "__main__":
    main()
