//! Requests to addresses that people entered: guarded against addresses inside, bounded in size and time.
