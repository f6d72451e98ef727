"""`python -m feedback_lab` is `feedback-lab`."""

from feedback_lab.cli import main

if __name__ == "__main__":
    main()
