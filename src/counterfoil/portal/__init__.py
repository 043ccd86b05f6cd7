"""The staff portal: pages and dialogs in HTML, rendered here, with every rule asked of the core.

Templates hold the sentences, `words` the badge of every status, `figures` how money, counts and
moments are written, `pages` the one door to Jinja. Nothing here decides what may be done: buttons
follow `allowed_actions`, and what is refused is told as the core told it.
Every page works without script; htmx only swaps the regions that changed.
"""
