"""What people would use instead: each a script that runs in .venv-bench/, and the program that runs them."""
