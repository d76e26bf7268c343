"""Who is who: the users, roles, keys and sessions of every account, and STS, over moto's IAM."""
