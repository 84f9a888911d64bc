"""What we trust them with: credit accounts and their exposure journal, line requests, lines, ratings."""
