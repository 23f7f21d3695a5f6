"""The library in the places where it is used.  Above everything, and imported by nothing."""
