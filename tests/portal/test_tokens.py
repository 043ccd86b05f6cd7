"""The form token: never written twice the same, and nothing else passes for it."""

from counterfoil.portal.tokens import masked, matches

TOKEN = "k7Q_this-is-a-session-token-of-43-characters"


def test_a_masked_token_is_the_token_and_never_the_same_twice():
    written = {masked(TOKEN) for _ in range(20)}
    assert len(written) == 20
    assert all(matches(one, TOKEN) for one in written)
    assert not any(TOKEN in one for one in written)


def test_nothing_else_passes():
    for wrong in ("", TOKEN, masked(TOKEN)[:-4], masked(TOKEN + "x"), masked("other"), "é", "===="):
        assert not matches(wrong, TOKEN)
    assert not matches("", "")
    assert not matches(masked(""), "")
