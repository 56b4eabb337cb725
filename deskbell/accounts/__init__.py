"""People, organizations and teams, and how somebody proves who they are."""
