"""May it ship: checks, reservations, holds."""
