"""``python -m labtrain``."""

from labtrain.cli import main

if __name__ == "__main__":
    main()
