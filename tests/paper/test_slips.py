"""Packing slips: what stands on them, that every script comes out, and that scanners read them."""

import re

import msgspec
import pypdfium2
import pytest

from counterfoil.order.note import Note
from counterfoil.order.shipment import Parcel, Shipment
from counterfoil.paper.bars import QUIET, draw
from counterfoil.paper.pdf import SHEETS, PressFailed, file_name, set_slips
from counterfoil.paper.press import FONTS, fonts, is_rare
from counterfoil.paper.slip import Slip, slip_of_shipment, slips_of_order
from counterfoil.paper.words import words_of
from tests.paper.making import ACME, ADMIN, NAMES, NOON, STORE, folder, line, parcel
from tests.paper.reading import pressed, scanned, text_of


def counted(slip: Slip) -> dict[str, int]:
    return {one.sku: one.quantity for one in slip.lines}


def test_a_bag_s_slip_has_what_has_not_left():
    sent = line("1", 3, quantity_shipped=1)
    (slip,) = slips_of_order(folder(sent, line("2", 2, quantity_canceled=1)), ADMIN)
    assert counted(slip) == {"SKU-1": 2, "SKU-2": 1}
    assert (slip.units, slip.sent, slip.follows) == ("3 units", ["1 × Article 1 (SKU-1)"], [])
    assert slip.to == ["Kari Nordmann", "Storgata 1", "0155 Oslo", "Norway"]
    assert ("Shipping method", "Bring home") in slip.facts
    assert ("Packed by", "Acme") in slip.facts
    assert (slip.part, slip.marks) == ("", [])


def test_a_bag_that_left_is_told_whole():
    (slip,) = slips_of_order(folder(line("1", 3, quantity_shipped=3)), ADMIN)
    assert (counted(slip), slip.sent) == ({"SKU-1": 3}, [])


def test_a_shipment_s_slip_says_what_left_before_it_and_what_follows():
    shipments = (
        parcel("first", {"1": 1}, "SHIPPED"),
        parcel("second", {"1": 2, "2": 1}, minute=1, tracking_number="70",
               parcels=[Parcel(tracking_number="71")], carrier="Bring"),
        parcel("third", {"2": 1}, minute=2),
        parcel("gone", {"2": 4}, "CANCELED", minute=3),
    )
    whole = folder(line("1", 4), line("2", 4), line("3", 1), shipments=shipments)
    slip = slip_of_shipment(whole, ADMIN, "second")
    assert slip is not None
    assert counted(slip) == {"SKU-1": 2, "SKU-2": 1}
    assert slip.sent == ["1 × Article 1 (SKU-1)"]
    assert slip.follows == [
        "1 × Article 1 (SKU-1)", "3 × Article 2 (SKU-2)", "1 × Article 3 (SKU-3)"]
    assert slip.part == "Parcels 2–3 of 4", "it has two numbers"
    assert ("Tracking number", "70, 71") in slip.facts
    assert slip_of_shipment(whole, ADMIN, "gone") is None
    first = slip_of_shipment(whole, ADMIN, "first")
    assert first is not None
    assert first.sent == [], "what left after it is no part of it"


def test_a_number_stands_only_on_what_travels_under_it():
    left = parcel("left", {"1": 1}, "SHIPPED", tracking_number="70")
    packed = parcel("packed", {"1": 1}, minute=1, tracking_number="71")

    def number(*shipments: Shipment, waiting: int) -> str:
        whole = folder(line("1", 1 + waiting, quantity_shipped=1), shipments=shipments)
        (slip,) = slips_of_order(whole, ADMIN)
        assert (counted(slip), slip.sent) == ({"SKU-1": waiting}, ["1 × Article 1 (SKU-1)"])
        return dict(slip.facts).get("Tracking number", "")

    assert number(left, waiting=2) == "", "the old number is not that of the rest"
    assert number(left, packed, waiting=1) == "71"
    assert number(left, packed, waiting=2) == "", "a unit of the rest is in no parcel yet"


def test_a_slip_that_is_printed_again_says_which_parcel_it_is():
    shipments = (
        parcel("a", {"1": 1}, "SHIPPED", tracking_number="70"),
        parcel("b", {"1": 2}, "DELIVERED", minute=1, tracking_number="71"),
        parcel("c", {"1": 3}, "CANCELED", minute=2),
    )
    whole = folder(line("1", 3, quantity_shipped=3), shipments=shipments)
    again = slips_of_order(whole, ADMIN)
    assert [(one.part, counted(one), dict(one.facts)["Tracking number"]) for one in again] == [
        ("Parcel 1 of 2", {"SKU-1": 1}, "70"), ("Parcel 2 of 2", {"SKU-1": 2}, "71")]
    assert again[1].sent == ["1 × Article 1 (SKU-1)"]
    assert again[0].follows == ["2 × Article 1 (SKU-1)"]


def test_a_merchant_s_slip_tells_of_no_other_bag():
    note = Note(id="n", order_id="o", body="Ring twice", visibility="customer", author={},
                created_at=NOON)
    whole = folder(
        line("1"), line("2", bag="b2"), bags={"b1": "acme", "b2": "zeta"}, notes=(note,),
        shipments=(parcel("theirs", {"2": 1}, bag_id="b2"),),
    )
    (slip,) = slips_of_order(whole, ACME)
    assert (counted(slip), slip.part, slip.notes) == ({"SKU-1": 1}, "", [])
    assert slip_of_shipment(whole, ACME, "theirs") is None
    both = slips_of_order(whole, ADMIN)
    assert [slip.part for slip in both] == ["Bag 1 of 2", "Bag 2 of 2"]
    theirs = slip_of_shipment(whole, ADMIN, "theirs")
    assert theirs is not None
    assert theirs.part == "Bag 2 of 2"
    assert both[0].notes == ["Ring twice"]


def test_prices_stay_away_unless_they_are_asked_for():
    norwegian = msgspec.structs.replace(STORE, language="nb")
    whole = folder(line("1", 2), store=norwegian)
    (bare,), (priced,) = slips_of_order(whole, ADMIN), slips_of_order(whole, ADMIN, priced=True)
    assert not re.search(r"12[.,]50|25[.,]00|NOK", "".join(text_of(pressed([bare]))))
    assert [(one.price, one.amount) for one in priced.lines] == [
        ("12,50\u00a0NOK", "25,00\u00a0NOK")]
    text = text_of(pressed([priced]))[0]
    assert "Pakkseddel" in text and "25,00 NOK" in text and "Antall" in text


def test_tests_and_presents_are_marked_and_internal_notes_stay_inside():
    notes = tuple(
        Note(id=kind, order_id="o", body=f"A {kind} note", visibility=kind, author={},
             created_at=NOON)
        for kind in ("internal", "customer")
    )
    whole = folder(line("1"), line("2", digital=True), notes=notes,
                   order={"is_test": True, "tags": ["gift"]})
    slips = slips_of_order(whole, ADMIN)
    text = text_of(pressed(slips))[0]
    assert "TEST ORDER – DO NOT SHIP" in text and "GIFT" in text
    assert "A customer note" in text and "internal" not in text
    assert "Delivered electronically 1 × Article 2" in text
    assert counted(slips[0]) == {"SKU-1": 1}


def test_nothing_is_printed_of_what_is_cancelled():
    whole = folder(line("1"))
    gone = tuple(msgspec.structs.replace(bag, status="CANCELED") for bag in whole.bags)
    assert slips_of_order(msgspec.structs.replace(whole, bags=gone), ADMIN) == []


@pytest.mark.parametrize("sheet", SHEETS)
def test_names_of_every_script_come_out(sheet: str):
    """Each letter has a drawing: one that has none would be drawn as the empty box."""
    lines = [line(str(n), name=name) for n, name in enumerate(NAMES)]
    made = pressed(slips_of_order(folder(*lines), ADMIN), sheet)
    text = text_of(made)[0]
    for name in ("株式会社サンプル", "Bjørn Åse Ægir", "김철수", "Ελένη"):
        assert name in text
    assert "محمد" in text and "שלום" in text
    width = pypdfium2.PdfDocument(made)[0].get_width()
    assert round(width) == {"a4": 595, "letter": 612}[sheet]


def test_letters_come_from_packages_and_not_from_the_machine():
    wanted = {"Noto Sans", "Noto Sans Arabic", "Noto Sans Thai", "Heebo", "Noto Sans CJK JP"}
    ours = fonts(system=False)
    assert wanted <= set(ours.families())
    assert all("site-packages" in (one.path or "") for one in ours.fonts())
    assert len(FONTS) == len(wanted)


def test_the_machine_is_asked_for_letters_of_rare_scripts_alone():
    """Looking through its letters takes longer than to print a slip."""
    assert not is_rare(" ".join(NAMES) + " – 2 × № ½ °C “Ærø” नमस्ते ﾊﾝﾄﾞ Ａ ㈱")
    assert [is_rare(name) for name in ("ქართული", "தமிழ்", "🎁")] == [True] * 3


async def test_the_press_prints_what_is_printed_here_and_says_why_it_could_not():
    slips = slips_of_order(folder(line("1", name="株式会社")), ADMIN)
    assert text_of(await set_slips(slips, "letter")) == text_of(pressed(slips, "letter"))
    broken = msgspec.structs.replace(slips[0], words={})
    with pytest.raises(PressFailed, match="dictionary does not contain key"):
        await set_slips([broken])


def test_slips_of_many_orders_are_one_document_with_pages_of_their_own():
    norwegian = msgspec.structs.replace(STORE, language="nb")
    slips = [
        slip
        for n in range(3)
        for slip in slips_of_order(
            folder(*[line(str(i)) for i in range(40 if n == 1 else 1)],
                   order={"number": f"A-{n}"}, store=norwegian if n == 2 else STORE), ADMIN)
    ]
    pages = text_of(pressed(slips))
    told = [re.search(r"(?:Order|Ordre) (A-\d).*(?:Page|Side) (\d) (?:of|av) (\d)", page)
            for page in pages]
    assert [one and one.groups() for one in told] == [
        ("A-0", "1", "1"), ("A-1", "1", "2"), ("A-1", "2", "2"), ("A-2", "1", "1")]
    assert (file_name(slips), file_name(slips[:1])) == ("packing-slips", "packing-slip-A-0")


def test_what_looks_like_a_command_is_text():
    name = '#panic("x") $a$ *b* <script> \\ `c` #include "/etc/passwd"'
    text = text_of(pressed(slips_of_order(folder(line("1", name=name)), ADMIN)))[0]
    assert name in text


def test_sixty_lines_and_long_names_break_between_lines_and_repeat_the_heads():
    lines = [line(str(n), name=f"{'W' * 200}{n}" if n % 7 == 0 else f"Cap {n}") for n in range(60)]
    pages = text_of(pressed(slips_of_order(folder(*lines), ADMIN)))
    assert len(pages) > 1
    for at, page in enumerate(pages, 1):
        assert f"Page {at} of {len(pages)}" in page
        assert "Order 10412" in page
    assert all("Quantity Article SKU" in page for page in pages[:-1])
    text = "".join(pages)
    assert text.count("W") == 9 * 200, "a name that is wider than its column goes on below"
    assert all(f"SKU-{n} " in text for n in range(60))


def test_each_bag_begins_on_a_page_of_its_own_and_counts_its_own():
    whole = folder(line("1"), line("2", bag="b2"), bags={"b1": "acme", "b2": "zeta"})
    pages = text_of(pressed(slips_of_order(whole, ADMIN)))
    assert ["Bag 1 of 2" in pages[0], "Bag 2 of 2" in pages[1]] == [True, True]
    assert all("Page 1 of 1" in page for page in pages)


@pytest.mark.parametrize("number", ["10412", "A-1", "ORD/2026 #00000001~x", "1" * 30])
def test_a_scanner_reads_the_order_s_number(number: str):
    assert scanned(pressed(slips_of_order(folder(line("1"), order={"number": number}), ADMIN))) \
        == [number]


def test_the_bars_are_those_of_the_standard():
    """ISO/IEC 15417: start B, P, J, J, 1, 2, 3, C, check 55 (W), stop, each in 11 modules."""
    drawn = draw("PJJ123C")
    patterns = ("11010010000 11101110110 10110111000 10110111000 10011100110 11001110010"
                " 11001011100 10001000110 11101000110 1100011101011")
    modules = ["0"] * drawn.width
    for at, wide in drawn.bars:
        modules[at : at + wide] = "1" * wide
    assert "".join(modules[QUIET:-QUIET]) == patterns.replace(" ", "")


@pytest.mark.parametrize("number", ["注文1", "x" * 41, ""])
def test_what_no_scanner_could_read_is_only_written(number: str):
    assert draw(number).bars == ()
    slips = slips_of_order(folder(line("1"), order={"number": number}), ADMIN)
    assert scanned(pressed(slips)) == []


def test_the_file_is_named_after_the_order():
    slips = slips_of_order(folder(line("1"), order={"number": 'ÆØ "1"/2'}), ADMIN)
    assert file_name(slips) == "packing-slip-----1--2"
    assert set(words_of("en")) == set(words_of("nb"))
