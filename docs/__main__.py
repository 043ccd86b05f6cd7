"""Write the reference anew from the code: `make docs`."""

from pathlib import Path

from docs.generator.pages import make_pages

REFERENCE = Path(__file__).parent / "reference"


def main() -> None:
    """Write what differs, remove what nobody makes any more, and say so."""
    made = make_pages()
    REFERENCE.mkdir(exist_ok=True)
    for old in REFERENCE.glob("*.md"):
        if old.name not in made:
            old.unlink()
            print(f"removed {old.name}")
    for name, text in made.items():
        place = REFERENCE / name
        if not place.exists() or place.read_text(encoding="utf-8") != text:
            place.write_text(text, encoding="utf-8")
            print(f"wrote {name}")


if __name__ == "__main__":
    main()
