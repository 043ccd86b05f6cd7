"""What knows no commerce: money, ids, life cycles, problems, the database, the clock.

Everything above may import it; it imports nothing of ours.
"""
