"""Settings, addresses, the API's assembly, job wiring, the server and the command line."""
