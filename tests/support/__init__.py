"""What the tests share; ``conftest.py`` makes fixtures of it."""
