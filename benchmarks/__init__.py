"""What the system costs, each figure beside a yardstick taken in the same run."""
