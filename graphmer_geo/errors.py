"""The one exception for mistakes a user can mend."""


class UserError(ValueError):
    """Bad input. The message is one line that names the value and the remedy; the CLI prints it as it is."""
