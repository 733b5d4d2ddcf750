"""ApiDeployment: the bank's own programs and the Redis they take their locks in."""
