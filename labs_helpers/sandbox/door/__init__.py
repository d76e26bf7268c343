"""The one loopback port: HTTP, which host name is meant, who calls (Signature Version 4)."""
