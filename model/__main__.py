"""`python -m model`: the same as the command `upstream`."""

from model.cli import main

if __name__ == "__main__":
    main()
