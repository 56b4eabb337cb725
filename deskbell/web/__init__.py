"""The edge that speaks HTTP: pages and API. It parses, calls one use case or query, and presents what came back."""
