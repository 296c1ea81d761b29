//! Synthetic task families: seeded samplers of tasks
