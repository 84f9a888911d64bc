"""What is measured, each against its anchor in the same run; `shouxin bench NAME` runs one."""
