"""The commands: those that work on a lake and those that look at one."""
