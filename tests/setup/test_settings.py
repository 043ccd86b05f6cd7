"""Settings are read once, and a wrong one is named."""

import base64
from pathlib import Path

import pytest

from counterfoil.settings import Settings, WrongSetting, read_settings

KEY = base64.b64encode(bytes(32)).decode()
OTHER = base64.b64encode(bytes([1]) * 32).decode()


def test_without_anything_the_program_brings_its_own_database():
    settings = read_settings({})
    assert settings.embedded
    assert settings.data_dir == Path("var")
    assert (settings.host, settings.port, settings.lease_s) == ("127.0.0.1", 8000, 30)


def test_the_environment_is_read_and_a_command_line_goes_first():
    words = {"COUNTERFOIL_PORT": "9000", "COUNTERFOIL_BEHIND_HTTPS": "1", "COUNTERFOIL_HOST": ""}
    assert read_settings(words).port == 9000
    assert read_settings(words).behind_https is True
    assert read_settings(words).host == "127.0.0.1"
    assert read_settings(words, port=9001, host=None).port == 9001


@pytest.mark.parametrize(
    ("word", "text", "said"),
    [
        ("COUNTERFOIL_PORT", "many", "COUNTERFOIL_PORT is wrong"),
        ("COUNTERFOIL_WORKERS", "0", "COUNTERFOIL_WORKERS must be 1 or more"),
        ("COUNTERFOIL_LEASE_S", "10", "COUNTERFOIL_PROVIDER_DEADLINE_S must be less"),
        ("COUNTERFOIL_DATABASE", "postgresql://x", "There is no setting COUNTERFOIL_DATABASE"),
        ("COUNTERFOIL_SECRET_KEY", "c2hvcnQ=", "must be 32 bytes in base64"),
        ("COUNTERFOIL_SECRET_KEY", f"{KEY},", "must be 32 bytes in base64"),
    ],
)
def test_a_wrong_setting_is_named(word, text, said):
    with pytest.raises(WrongSetting, match=said):
        read_settings({word: text})


def test_tests_have_words_of_their_own():
    assert read_settings({"COUNTERFOIL_TEST_PG": "16"}) == Settings()


def test_the_key_of_the_data_folder_is_made_once_and_is_its_owners_alone(tmp_path):
    settings = read_settings({}, data_dir=tmp_path / "new")
    first = settings.secret_keys()
    assert settings.secret_keys() == first
    assert len(first[0]) == 32
    files = list((tmp_path / "new").iterdir())
    assert [file.name for file in files] == ["secret.key"]
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_with_a_database_elsewhere_a_key_must_be_given(tmp_path):
    settings = read_settings({"COUNTERFOIL_DATABASE_URL": "postgresql://db/x"}, data_dir=tmp_path)
    with pytest.raises(WrongSetting, match="COUNTERFOIL_SECRET_KEY is missing"):
        settings.secret_keys()


def test_keys_may_be_exchanged():
    settings = read_settings({"COUNTERFOIL_SECRET_KEY": f"{OTHER}, {KEY}"})
    assert settings.secret_keys() == [bytes([1]) * 32, bytes(32)]


def test_the_keys_of_the_data_folder_are_exchanged_as_lines(tmp_path):
    (tmp_path / "secret.key").write_text(f"{OTHER}\n{KEY}\n")
    settings = read_settings({}, data_dir=tmp_path)
    assert settings.secret_keys() == [bytes([1]) * 32, bytes(32)]
    (tmp_path / "secret.key").write_text("\n")
    with pytest.raises(WrongSetting, match="must be 32 bytes in base64"):
        settings.secret_keys()
