"""What the system and differential tests share: daemons, a raw JSON-RPC client, test cases.

Nothing here imports the `ovs` library: the client must be able to say what that one cannot.
"""
