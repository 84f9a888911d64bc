"""Where personal data go and what is thought through beforehand: sharing register, impact assessments (PIPL)."""
