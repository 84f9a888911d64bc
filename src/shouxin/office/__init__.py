"""The credit office: people, posts and duties, the policy in force, moves, the trail."""
